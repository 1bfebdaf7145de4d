import type { Database } from '../db/stores.ts'
import { CodedError } from '../errors.ts'
import type { KeyRing } from '../keys/key-ring.ts'

/** Whom an access token speaks for. `authTime` is when they last proved who they are, in seconds since the epoch. */
export interface Principal { userId: string, sessionId: string, roles: string[], authTime: number }

/**
 * Recognises the holder of an access token. Throws CodedError TOKEN_INVALID, TOKEN_EXPIRED, SESSION_REVOKED (the
 * session ended, or its user was disabled or deleted) or TOKEN_STALE (rights changed since it was issued), and
 * SERVICE_UNAVAILABLE while that cannot be known.
 */
export type Authenticate = (token: string) => Promise<Principal>

export function createAuthenticate ({ database, keyRing }: { database: Database, keyRing: KeyRing }): Authenticate {
  return async token => {
    const claims = await keyRing.verify(token)
    const session = await database.sessions.findLive(claims.sid, claims.sub)
    if (session === undefined) throw new CodedError('SESSION_REVOKED', 'The session has ended; sign in again.')
    if (claims.ver < session.authzVersion) throw new CodedError('TOKEN_STALE', 'Your rights changed since this token was issued; refresh it.')
    return { userId: claims.sub, sessionId: claims.sid, roles: claims.roles, authTime: claims.auth_time }
  }
}

import type { Database } from '../db/stores.ts'
import { CodedError } from '../errors.ts'
import type { AccessTokenClaims } from '../keys/access-tokens.ts'
import type { KeyRing } from '../keys/key-ring.ts'
import type { RevocationFeed } from '../revocation/revocation-feed.ts'

/** Whom an access token speaks for. `authTime` is when they last proved who they are, in seconds since the epoch. */
export interface Principal { userId: string, sessionId: string, roles: string[], authTime: number }

export interface RecogniseDependencies { database: Database, keyRing: KeyRing, feed: Pick<RevocationFeed, 'judge'> }

/**
 * What a token says, if it is one of ours and nobody revoked it. Throws CodedError TOKEN_INVALID, TOKEN_EXPIRED,
 * SESSION_REVOKED (the session ended, or its user was disabled or deleted) or TOKEN_STALE (rights changed since it was
 * issued), and SERVICE_UNAVAILABLE while that cannot be known.
 */
export type RecogniseToken = (token: string) => Promise<AccessTokenClaims>

export function createRecogniseToken ({ database, keyRing, feed }: RecogniseDependencies): RecogniseToken {
  async function askDatabase ({ sid, sub, ver }: AccessTokenClaims): Promise<'live' | 'ended' | 'stale'> {
    const session = await database.sessions.findLive(sid, sub)
    if (session === undefined) return 'ended'
    return ver < session.authzVersion ? 'stale' : 'live'
  }

  return async token => {
    const claims = await keyRing.verify(token)
    const known = feed.judge(claims)
    const standing = known === 'unknown' ? await askDatabase(claims) : known
    if (standing === 'ended') throw new CodedError('SESSION_REVOKED', 'The session has ended; sign in again.')
    if (standing === 'stale') throw new CodedError('TOKEN_STALE', 'Your rights changed since this token was issued; refresh it.')
    return claims
  }
}

/** Recognises the holder of an access token. Throws what {@link RecogniseToken} throws. */
export type Authenticate = (token: string) => Promise<Principal>

export function createAuthenticate (recognise: RecogniseToken): Authenticate {
  return async token => {
    const claims = await recognise(token)
    return { userId: claims.sub, sessionId: claims.sid, roles: claims.roles, authTime: claims.auth_time }
  }
}

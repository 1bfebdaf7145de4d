import type { Database } from '../db/stores.ts'
import { CodedError } from '../errors.ts'
import type { AccessTokenClaims } from '../keys/access-tokens.ts'
import type { KeyRing } from '../keys/key-ring.ts'
import type { RevocationFeed } from '../revocation/revocation-feed.ts'
import type { TokenSubject } from '../revocation/revocation-set.ts'

/** Whom an access token speaks for. `authTime` is when they last proved who they are, in seconds since the epoch. */
export interface Principal { userId: string, sessionId: string, roles: string[], authTime: number }

export interface JudgeDependencies { database: Pick<Database, 'sessions'>, feed: Pick<RevocationFeed, 'judge'> }
export interface RecogniseDependencies extends JudgeDependencies { keyRing: Pick<KeyRing, 'verify'> }

/** Whether what a token is about still holds. Throws CodedError SERVICE_UNAVAILABLE while that cannot be known. */
export type JudgeToken = (subject: TokenSubject) => Promise<'live' | 'ended' | 'stale'>

/** Judges by the feed, and by the database where the feed does not hold everything. */
export function createJudgeToken ({ database, feed }: JudgeDependencies): JudgeToken {
  return async subject => {
    const standing = feed.judge(subject)
    if (standing !== 'unknown') return standing
    const session = await database.sessions.findLive(subject.sid, subject.sub)
    if (session === undefined) return 'ended'
    return subject.ver < session.authzVersion ? 'stale' : 'live'
  }
}

/** Lets pass what is live. Throws CodedError SESSION_REVOKED or TOKEN_STALE. */
export function requireLive (standing: 'live' | 'ended' | 'stale'): void {
  if (standing === 'ended') throw new CodedError('SESSION_REVOKED', 'The session has ended; sign in again.')
  if (standing === 'stale') throw new CodedError('TOKEN_STALE', 'Your rights changed since this token was issued; refresh it.')
}

/**
 * What a token says, if it is one of ours and nobody revoked it. Throws CodedError TOKEN_INVALID, TOKEN_EXPIRED,
 * SESSION_REVOKED (the session ended, or its user was disabled or deleted) or TOKEN_STALE (rights changed since it was
 * issued), and SERVICE_UNAVAILABLE while that cannot be known.
 */
export type RecogniseToken = (token: string) => Promise<AccessTokenClaims>

export function createRecogniseToken ({ database, keyRing, feed }: RecogniseDependencies): RecogniseToken {
  const judge = createJudgeToken({ database, feed })
  return async token => {
    const claims = await keyRing.verify(token)
    requireLive(await judge(claims))
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

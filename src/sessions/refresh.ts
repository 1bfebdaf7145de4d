import type { Audit, EventType, RequestContext } from '../audit/audit.ts'
import type { Database } from '../db/stores.ts'
import { CodedError } from '../errors.ts'
import type { KeyRing } from '../keys/key-ring.ts'
import type { Secrets } from '../keys/secrets.ts'
import { whence, type OrderMail } from '../mail/order-mail.ts'
import type { TokenPair } from '../schemas/token.ts'
import type { IssueTokens } from './issue-tokens.ts'
import { hashRefreshSecret, parseRefreshToken } from './refresh-token.ts'

export interface RefreshDependencies {
  database: Database
  /** Told of a token that was used again, which the database has written into the trail. */
  audit: Pick<Audit, 'announce'>
  keyRing: Pick<KeyRing, 'signingKid'>
  secrets: Secrets
  issueTokens: IssueTokens
  /** Told of a rotation, for the log. */
  log: (event: { type: EventType, outcome: 'success' | 'failure', targetId: string, sessionId: string }, context: RequestContext) => void
  orderMail: OrderMail
  /** Told that a notice to the person could not be ordered. */
  onNoticeFailed: (error: unknown) => void
  accessTtlSeconds: number
  idleTtlSeconds: number
  /** Seconds after its rotation in which a token may be used again, because a response was lost or two tabs raced. */
  graceSeconds: number
}

/**
 * Exchanges a refresh token for the next pair (RFC 9700, 4.14.2). Parallel uses of one token, and repeated ones within
 * the grace, all get the session's newest token. Throws CodedError REFRESH_TOKEN_INVALID for whatever is no live token,
 * REFRESH_TOKEN_REUSED for one that was replaced longer ago (the session has then ended),
 * RATE_LIMITED, and SERVICE_UNAVAILABLE while there is no key to sign with.
 */
export type Refresh = (refreshToken: string, context: RequestContext) => Promise<TokenPair>

const invalid = () => new CodedError('REFRESH_TOKEN_INVALID', 'The refresh token is not valid any more; sign in again.')

export function createRefresh (deps: RefreshDependencies): Refresh {
  /** Once per session, by whoever ended it. It has ended whether or not its owner can be told; the trail knows in any case. */
  async function tellOwner (userId: string, context: RequestContext): Promise<void> {
    try {
      const user = await deps.database.users.findById(userId)
      if (user === undefined) return
      await deps.orderMail(deps.database, { template: 'security-notice', userId, recipient: user.emailCanonical, values: { notice: 'token-reuse', ...whence(context) } })
    } catch (error) {
      deps.onNoticeFailed(error)
    }
  }

  return async (refreshToken, context) => {
    const presented = parseRefreshToken(deps.secrets, refreshToken)
    if (presented === undefined) throw invalid()
    const { sessionId, n, secret } = presented
    // Nothing is rotated where the answer could not be signed: its holder would be left with a replaced token.
    await deps.keyRing.signingKid()
    const row = await deps.database.sessions.rotate({ sessionId, n, refreshHash: hashRefreshSecret(secret), ...context }, deps)
    if (row === undefined) throw invalid()
    const about = { targetId: row.userId, sessionId }
    if (row.reused) {
      await tellOwner(row.userId, context)
      await deps.audit.announce(context, [{ id: row.eventId, type: 'authn_token_reuse', outcome: 'failure', ...about }])
      throw new CodedError('REFRESH_TOKEN_REUSED', 'This refresh token was replaced before and used again, so the session was ended; sign in again.')
    }
    if (row.counter <= n) {
      throw new CodedError('RATE_LIMITED', 'This session is refreshed too often; use the newest tokens.', { retryAfterSeconds: deps.graceSeconds })
    }
    if (row.counter === n + 1) deps.log({ type: 'session_renewed', outcome: 'success', ...about }, context)
    return await deps.issueTokens({ ...row, sessionId, refresh: { n: row.counter, secret } })
  }
}

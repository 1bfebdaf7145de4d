import type { Audit, RequestContext } from '../audit/audit.ts'
import type { SessionLives } from '../db/sessions.ts'
import { CodedError } from '../errors.ts'
import type { TokenPair } from '../schemas/token.ts'
import type { Principal } from './authenticate.ts'
import type { ConfirmPassword } from './confirm-password.ts'
import type { IssueTokens } from './issue-tokens.ts'
import { createRefreshSecret, hashRefreshSecret } from './refresh-token.ts'

export interface ReauthenticateDependencies { audit: Audit, confirmPassword: ConfirmPassword, issueTokens: IssueTokens, lives: SessionLives }

/**
 * Proves again who is behind a session: same session, new `auth_time`, new tokens; those
 * from before are replaced as by a refresh. Throws
 * what {@link ConfirmPassword} throws, and CodedError SESSION_REVOKED where the session ended meanwhile.
 */
export type Reauthenticate = (principal: Principal, password: string, context: RequestContext) => Promise<TokenPair>

export function createReauthenticate ({ audit, confirmPassword, issueTokens, lives }: ReauthenticateDependencies): Reauthenticate {
  return async (principal, password, context) => {
    const user = await confirmPassword(principal, password, 'authn_login_fail', context)
    const { sessionId } = principal
    const secret = createRefreshSecret()
    const times = await audit.transaction(context, async (stores, record) => {
      const proven = await stores.sessions.prove(sessionId, { ...lives, ...context, refreshHash: hashRefreshSecret(secret) })
      if (proven === undefined) throw new CodedError('SESSION_REVOKED', 'The session has ended; sign in again.')
      record({ type: 'authn_login_success', outcome: 'success', actorId: user.id, targetId: user.id, sessionId, details: { reason: 'reauthentication' } })
      return proven
    })
    return await issueTokens({ ...times, now: times.authTime, sessionId, userId: user.id, roles: user.roles, authzVersion: user.authzVersion, refresh: { n: times.counter, secret } })
  }
}

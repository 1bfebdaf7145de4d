import type { Audit, RequestContext } from '../audit/audit.ts'
import { CodedError } from '../errors.ts'
import type { Principal } from './authenticate.ts'

/**
 * Ends a session of a principal's user; for the session that they ask with it is a logout. Throws CodedError
 * SESSION_NOT_FOUND alike for a session that is unknown, has ended or is somebody else's.
 */
export type EndSession = (principal: Principal, id: string, context: RequestContext) => Promise<void>

export function createEndSession ({ audit }: { audit: Audit }): EndSession {
  return async ({ userId, sessionId: askedWith }, id, context) => {
    await audit.transaction(context, async (stores, record) => {
      const sessionId = id.toLowerCase()
      const isCurrent = sessionId === askedWith
      // Whoever asks with an access token has that session, be it that its refresh token expired.
      const ended = isCurrent ? await stores.sessions.revoke(sessionId) : await stores.sessions.end(sessionId, userId)
      if (ended === undefined) throw new CodedError('SESSION_NOT_FOUND', 'You have no such session.')
      const details = isCurrent ? { reason: 'logout' } : { reason: 'session_ended', askedWith }
      record({ type: 'authn_token_revoked', outcome: 'success', actorId: userId, targetId: userId, sessionId, details })
    })
  }
}

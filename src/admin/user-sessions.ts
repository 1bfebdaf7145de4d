import type { Audit, RequestContext } from '../audit/audit.ts'
import type { Database } from '../db/stores.ts'
import { CodedError } from '../errors.ts'
import type { PageQuery } from '../schemas/page.ts'
import type { Session } from '../schemas/session.ts'
import type { Principal } from '../sessions/authenticate.ts'
import type { ListSessions } from '../sessions/list-sessions.ts'
import type { FieldRules } from './field-rules.ts'
import { findTarget, lockTarget } from './target.ts'

export interface UserSessionsDependencies { database: Database, audit: Audit, listSessions: ListSessions, rules: FieldRules }

/** What administrators do with the sessions of somebody. */
export interface UserSessions {
  /** One page of the live sessions, newest first. Throws CodedError USER_NOT_FOUND, and INVALID_INPUT for a cursor of another list. */
  listSessions(principal: Principal, id: string, page: PageQuery): Promise<{ items: Session[], nextCursor: string | null }>
  /** Ends a session. Throws CodedError USER_NOT_FOUND, FORBIDDEN and SESSION_NOT_FOUND. */
  endSession(principal: Principal, ids: { id: string, sessionId: string }, context: RequestContext): Promise<void>
  /** Ends every session. Throws CodedError USER_NOT_FOUND and FORBIDDEN. */
  logout(principal: Principal, id: string, context: RequestContext): Promise<void>
}

export function createUserSessions ({ database, audit, listSessions, rules }: UserSessionsDependencies): UserSessions {
  return {
    async listSessions (principal, id, page) {
      const { id: userId } = await findTarget(database, id)
      return await listSessions({ ...principal, userId }, page)
    },
    async endSession (principal, ids, context) {
      const sessionId = ids.sessionId.toLowerCase()
      await audit.transaction(context, async (stores, record) => {
        const { id: targetId } = await lockTarget(stores, rules, principal, ids.id)
        // Whoever asks with an access token has that session, be it that its refresh token expired.
        const isCurrent = targetId === principal.userId && sessionId === principal.sessionId
        const ended = isCurrent ? await stores.sessions.revoke(sessionId) : await stores.sessions.end(sessionId, targetId)
        if (ended === undefined) throw new CodedError('SESSION_NOT_FOUND', 'The user has no such session.')
        record({ type: 'authn_token_revoked', outcome: 'success', actorId: principal.userId, targetId, sessionId, details: { reason: 'session_ended', askedWith: principal.sessionId } })
      })
    },
    async logout (principal, id, context) {
      await audit.transaction(context, async (stores, record) => {
        const { id: targetId } = await lockTarget(stores, rules, principal, id)
        const sessions = await stores.sessions.revokeAll(targetId)
        record({ type: 'authn_token_revoked', outcome: 'success', actorId: principal.userId, targetId, sessionId: principal.sessionId, details: { reason: 'logout_by_admin', sessions } })
      })
    }
  }
}

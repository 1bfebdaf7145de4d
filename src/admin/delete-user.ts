import type { Audit, RequestContext } from '../audit/audit.ts'
import type { OrderMail } from '../mail/order-mail.ts'
import type { Principal } from '../sessions/authenticate.ts'
import type { LoginLock } from '../sessions/login-lock.ts'
import type { FieldRules } from './field-rules.ts'
import { findTarget, lastAdmin, lockTarget } from './target.ts'

/**
 * Deletes somebody: their sessions end, e-mail and username are free again, the row stays for the trail. Throws CodedError
 * USER_NOT_FOUND, FORBIDDEN, and CONFLICT for the last active admin.
 */
export type DeleteUser = (principal: Principal, id: string, context: RequestContext) => Promise<void>

export interface DeleteUserDependencies { audit: Audit, orderMail: OrderMail, loginLock: Pick<LoginLock, 'forgive'>, rules: FieldRules }

export function createDeleteUser ({ audit, orderMail, loginLock, rules }: DeleteUserDependencies): DeleteUser {
  return async (principal, id, context) => {
    await audit.transaction(context, async (stores, record) => {
      const { id: userId, emailCanonical, roles } = await lockTarget(stores, rules, principal, id)
      const sessionsEnded = await stores.sessions.revokeAll(userId)
      await stores.users.softDelete(userId) ?? await findTarget(stores, userId)
      if (roles.includes('admin') && !await stores.users.hasActiveAdmin()) throw lastAdmin()
      await loginLock.forgive(stores, userId)
      await orderMail(stores, { template: 'security-notice', userId, recipient: emailCanonical, values: { notice: 'account-deleted' } })
      record({ type: 'user_deleted', outcome: 'success', actorId: principal.userId, targetId: userId, sessionId: principal.sessionId, details: { sessionsEnded } })
    })
  }
}

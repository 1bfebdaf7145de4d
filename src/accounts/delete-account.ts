import type { Audit, RequestContext } from '../audit/audit.ts'
import { CodedError } from '../errors.ts'
import { whence, type OrderMail } from '../mail/order-mail.ts'
import type { Principal } from '../sessions/authenticate.ts'
import type { LoginLock } from '../sessions/login-lock.ts'

/**
 * Deletes the signed-in person: their sessions end, e-mail and username are free again, the row stays for the trail.
 * Throws CodedError CONFLICT for the last active admin.
 */
export type DeleteAccount = (principal: Principal, context: RequestContext) => Promise<void>

export interface DeleteAccountDependencies { audit: Audit, orderMail: OrderMail, loginLock: Pick<LoginLock, 'forgive'> }

export function createDeleteAccount ({ audit, orderMail, loginLock }: DeleteAccountDependencies): DeleteAccount {
  return async ({ userId, sessionId }, context) => {
    await audit.transaction(context, async (stores, record) => {
      // The database would end them with the account, but would not tell this instance at once. The row's lock comes first,
      // as it does when somebody signs in.
      await stores.users.lock(userId)
      await stores.sessions.revokeAll(userId)
      const deleted = await stores.users.softDelete(userId)
      if (deleted === undefined) throw new CodedError('SESSION_REVOKED', 'The account no longer exists; sign in again.')
      if (deleted.roles.includes('admin') && !await stores.users.hasActiveAdmin()) {
        throw new CodedError('CONFLICT', 'You are the last active administrator; make somebody else one first.')
      }
      // Nobody can fail there any more, and the longest lock would be kept for good.
      await loginLock.forgive(stores, userId)
      await orderMail(stores, { template: 'security-notice', userId, recipient: deleted.emailCanonical, values: { notice: 'account-deleted', ...whence(context) } })
      record({ type: 'user_deleted', outcome: 'success', actorId: userId, targetId: userId, sessionId })
    })
  }
}

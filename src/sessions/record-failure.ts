import type { Audit, AuditEvent, RequestContext } from '../audit/audit.ts'
import { whence, type OrderMail } from '../mail/order-mail.ts'
import type { Attempt } from './login-lock.ts'

/** An attempt that was judged wrong: what the trail says of it, and the address of whoever is to be told of a lock, if any. */
export interface FailedAttempt { attempt: Attempt, event: AuditEvent, recipient: string | null }

/**
 * Notes a wrong password, and locks what is due: the lock, its traces in the trail and the notice to the person come
 * together or not at all. Nothing here depends on whether there is an account.
 */
export type RecordFailure = (failed: FailedAttempt, context: RequestContext) => Promise<void>

export function createRecordFailure ({ audit, orderMail }: { audit: Audit, orderMail: OrderMail }): RecordFailure {
  return async ({ attempt, event, recipient }, context) => {
    if (attempt.locks.length === 0) {
      await audit.append(context, [event])
      return
    }
    const { outcome: _, type: __, details: ___, ...about } = event
    await audit.transaction(context, async (stores, record) => {
      await attempt.lock(stores)
      if (attempt.tellsOwner) {
        await orderMail(stores, { template: 'security-notice', userId: about.targetId, recipient, values: { notice: 'account-locked', ...whence(context) } })
      }
      record(event)
      for (const details of attempt.locks) {
        record({ type: 'authn_login_lock', outcome: 'success', ...details.counter === 'address' ? {} : about, details: { ...details } })
      }
    })
  }
}

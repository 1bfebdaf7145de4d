import { isClaimable } from '../accounts/claim.ts'
import type { Audit, RecordEvent, RequestContext } from '../audit/audit.ts'
import type { Stores } from '../db/stores.ts'
import { whence, type OrderMail } from '../mail/order-mail.ts'
import { actionTokenInvalid, useActionToken, voidLinks } from './action-token.ts'

export interface UndoEmailChangeDependencies { audit: Audit, orderMail: OrderMail }

/**
 * Takes a change of address back, on the word of the address from before. Every session ends and devices are known no
 * more. All other links are void, those that undo later changes too; one that undoes an earlier change stays good, so that
 * of several addresses the first one wins (docs/decisions/011-change-of-address.md). Whoever changed the address knew the
 * password, so a link that sets a new one goes with it. Throws CodedError ACTION_TOKEN_INVALID, and CONFLICT where
 * somebody else has the address by now and has proven it, or was invited.
 */
export type UndoEmailChange = (token: string, context: RequestContext) => Promise<void>

/**
 * Deletes an account that somebody registered with the address and never proved: the mailbox speaks here, and whoever took
 * the account over must not bar its way back by registering.
 */
async function displaceUnproven (stores: Stores, record: RecordEvent, emailCanonical: string, userId: string): Promise<void> {
  const holder = await stores.users.findByEmail(emailCanonical)
  if (holder === undefined || holder.id === userId) return
  await stores.users.lock(holder.id)
  const current = await stores.users.findById(holder.id)
  if (current === undefined || current.emailCanonical !== emailCanonical || !isClaimable(current)) return
  await stores.sessions.revokeAll(current.id)
  await stores.users.softDelete(current.id)
  record({ type: 'user_deleted', outcome: 'success', actorId: userId, targetId: current.id, details: { reason: 'address_not_proven' } })
}

export function createUndoEmailChange ({ audit, orderMail }: UndoEmailChangeDependencies): UndoEmailChange {
  return async (token, context) => {
    await audit.transaction(context, async (stores, record) => {
      const { userId, email: emailCanonical, data } = await useActionToken(stores, token, 'undo-email-change')
      const user = await stores.users.findById(userId)
      const undone = Number(data.version)
      if (user === undefined || data.email === undefined || !Number.isSafeInteger(undone)) throw actionTokenInvalid()
      await displaceUnproven(stores, record, emailCanonical, userId)
      const sessionsEnded = await stores.sessions.revokeAll(userId)
      const version = await stores.users.changeEmail(userId, { email: data.email, emailCanonical }, { forgetDevices: true })
      if (version === undefined) throw actionTokenInvalid()
      await voidLinks(stores, userId, { undone })
      await orderMail(stores, { template: 'reset-password', userId, recipient: emailCanonical, vital: true })
      for (const recipient of new Set([emailCanonical, user.emailCanonical])) {
        await orderMail(stores, { template: 'security-notice', userId, recipient, values: { notice: 'email-change-undone', newEmail: data.email, ...whence(context) } })
      }
      record({ type: 'user_updated', outcome: 'success', actorId: userId, targetId: userId, details: { changed: ['email'], reason: 'undo', sessionsEnded } })
    })
  }
}

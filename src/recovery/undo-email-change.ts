import type { Audit, RequestContext } from '../audit/audit.ts'
import type { OrderMail } from '../mail/order-mail.ts'
import { actionTokenInvalid, useActionToken } from './action-token.ts'

export interface UndoEmailChangeDependencies { audit: Audit, orderMail: OrderMail }

/**
 * Takes a change of address back, on the word of the address from before. Every session ends and devices are known no
 * more. All other links are void, those that undo later changes too; one that undoes an earlier change stays good, so that
 * of several addresses the first one wins (docs/decisions/011-change-of-address.md). Whoever changed the address knew the
 * password, so a link that sets a new one goes with it. Throws CodedError ACTION_TOKEN_INVALID, and CONFLICT where
 * somebody else has the address by now.
 */
export type UndoEmailChange = (token: string, context: RequestContext) => Promise<void>

export function createUndoEmailChange ({ audit, orderMail }: UndoEmailChangeDependencies): UndoEmailChange {
  return async (token, context) => {
    await audit.transaction(context, async (stores, record) => {
      const { userId, email: emailCanonical, data } = await useActionToken(stores, token, 'undo-email-change')
      const user = await stores.users.findById(userId)
      const undone = Number(data.version)
      if (user === undefined || data.email === undefined || !Number.isSafeInteger(undone)) throw actionTokenInvalid()
      const sessionsEnded = await stores.sessions.revokeAll(userId)
      if (await stores.users.changeEmail(userId, { email: data.email, emailCanonical }, { forgetDevices: true }) === undefined) throw actionTokenInvalid()
      await stores.actionTokens.revokeSince(userId, undone)
      await stores.outbox.withdrawSince(userId, undone)
      await orderMail(stores, { template: 'reset-password', userId, recipient: emailCanonical, vital: true })
      for (const recipient of new Set([emailCanonical, user.emailCanonical])) {
        await orderMail(stores, { template: 'security-notice', userId, recipient, values: { notice: 'email-changed', newEmail: data.email } })
      }
      record({ type: 'user_updated', outcome: 'success', actorId: userId, targetId: userId, details: { changed: ['email'], reason: 'undo', sessionsEnded } })
    })
  }
}

import type { Audit, RequestContext } from '../audit/audit.ts'
import { whence, type OrderMail } from '../mail/order-mail.ts'
import type { Principal } from '../sessions/authenticate.ts'
import { actionTokenInvalid, useActionToken, voidLinks } from './action-token.ts'

export interface ConfirmEmailChangeDependencies { audit: Audit, orderMail: OrderMail }

/**
 * Changes an account's address to the one that the token was sent to. Every session ends but the one that asks, if it is
 * the person's. Other links are void; the old address gets one that takes the change back, and both are told
 * (docs/decisions/011-change-of-address.md). Throws CodedError ACTION_TOKEN_INVALID, also where the password was changed
 * since the change was asked for, and CONFLICT where somebody else took the address meanwhile.
 */
export type ConfirmEmailChange = (token: string, asking: Principal | undefined, context: RequestContext) => Promise<void>

export function createConfirmEmailChange ({ audit, orderMail }: ConfirmEmailChangeDependencies): ConfirmEmailChange {
  return async (token, asking, context) => {
    await audit.transaction(context, async (stores, record) => {
      const { userId, email: emailCanonical, data } = await useActionToken(stores, token, 'change-email')
      const user = await stores.users.findById(userId)
      if (data.email === undefined || data.version !== String(user?.credentialVersion)) throw actionTokenInvalid()
      const kept = asking?.userId === userId ? asking.sessionId : undefined
      const sessionsEnded = await stores.sessions.revokeAll(userId, kept)
      const version = await stores.users.changeEmail(userId, { email: data.email, emailCanonical }, { forgetDevices: false })
      if (user === undefined || version === undefined) throw actionTokenInvalid()
      await voidLinks(stores, userId)
      await orderMail(stores, {
        template: 'undo-email-change', userId, recipient: user.emailCanonical, values: { email: user.email, version: String(version) }, vital: true
      })
      for (const recipient of [user.emailCanonical, emailCanonical]) {
        await orderMail(stores, { template: 'security-notice', userId, recipient, values: { notice: 'email-changed', newEmail: data.email, ...whence(context) } })
      }
      record({ type: 'user_updated', outcome: 'success', actorId: userId, targetId: userId, sessionId: kept, details: { changed: ['email'], sessionsEnded } })
    })
  }
}

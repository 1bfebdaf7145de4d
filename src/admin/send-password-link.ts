import type { Audit, RequestContext } from '../audit/audit.ts'
import { CodedError } from '../errors.ts'
import type { OrderMail } from '../mail/order-mail.ts'
import type { InviteAgain } from '../recovery/invite.ts'
import type { Principal } from '../sessions/authenticate.ts'
import type { FieldRules } from './field-rules.ts'
import { lockTarget } from './target.ts'

/**
 * Mails somebody a link that sets a new password; who was invited and has none yet gets the invitation again. The password
 * so far stays good until the link is used. Throws CodedError USER_NOT_FOUND, FORBIDDEN, and CONFLICT for an account that
 * is disabled, whose owner a link would be of no use to.
 */
export type SendPasswordLink = (principal: Principal, id: string, context: RequestContext) => Promise<void>

export interface SendPasswordLinkDependencies { audit: Audit, orderMail: OrderMail, inviteAgain: InviteAgain, rules: FieldRules }

export function createSendPasswordLink ({ audit, orderMail, inviteAgain, rules }: SendPasswordLinkDependencies): SendPasswordLink {
  return async (principal, id, context) => {
    await audit.transaction(context, async (stores, record) => {
      const user = await lockTarget(stores, rules, principal, id)
      if (!user.isActive) throw new CodedError('CONFLICT', 'The account is disabled; enable it first.')
      const isInvited = user.passwordHash === null
      if (isInvited) await inviteAgain(stores, user)
      else await orderMail(stores, { template: 'reset-password', userId: user.id, recipient: user.emailCanonical })
      const action = isInvited ? 'invitation_sent' : 'password_link_sent'
      record({ type: 'authz_admin', outcome: 'success', actorId: principal.userId, targetId: user.id, sessionId: principal.sessionId, details: { action } })
    })
  }
}

import type { Audit, RequestContext } from '../audit/audit.ts'
import { CodedError, invalidInput } from '../errors.ts'
import { whence, type OrderMail } from '../mail/order-mail.ts'
import type { Passwords } from '../passwords/passwords.ts'
import { voidLinks } from '../recovery/action-token.ts'
import type { Principal } from '../sessions/authenticate.ts'
import type { ConfirmPassword } from '../sessions/confirm-password.ts'

export interface ChangePasswordDependencies { audit: Audit, passwords: Passwords, confirmPassword: ConfirmPassword, orderMail: OrderMail }

/**
 * Replaces the password of the signed-in person, ends their other sessions and tells them by mail. Links that were sent
 * before and set a password or change the address are void. Throws what {@link ConfirmPassword} throws, CodedError
 * INVALID_INPUT for a weak new password, and CONFLICT where the account changed meanwhile.
 */
export type ChangePassword = (principal: Principal, passwords: { currentPassword: string, newPassword: string }, context: RequestContext) => Promise<void>

export function createChangePassword ({ audit, passwords, confirmPassword, orderMail }: ChangePasswordDependencies): ChangePassword {
  return async (principal, { currentPassword, newPassword }, context) => {
    const user = await confirmPassword(principal, currentPassword, 'authn_password_change_fail', context)
    const weaknesses = await passwords.check(newPassword, '/body/newPassword', user)
    if (weaknesses.length > 0) throw invalidInput(weaknesses)
    const passwordHash = await passwords.hash(newPassword)
    await audit.transaction(context, async (stores, record) => {
      if (!await stores.users.changePassword(user.id, user.credentialVersion, passwordHash)) {
        throw new CodedError('CONFLICT', 'The account was changed at the same time; read it again and retry.')
      }
      const ended = await stores.sessions.revokeAll(user.id, principal.sessionId)
      await voidLinks(stores, user.id, { purposes: ['reset-password', 'change-email'] })
      await orderMail(stores, { template: 'security-notice', userId: user.id, recipient: user.emailCanonical, values: { notice: 'password-changed', ...whence(context) } })
      record({ type: 'authn_password_change', outcome: 'success', actorId: user.id, targetId: user.id, sessionId: principal.sessionId, details: { sessionsEnded: ended } })
    })
  }
}

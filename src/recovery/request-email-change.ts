import { canonicalEmail } from '../accounts/email.ts'
import type { RequestContext } from '../audit/audit.ts'
import type { Database } from '../db/stores.ts'
import { invalidInput } from '../errors.ts'
import { whence, type OrderMail } from '../mail/order-mail.ts'
import type { Principal } from '../sessions/authenticate.ts'
import type { ConfirmPassword } from '../sessions/confirm-password.ts'

export interface RequestEmailChangeDependencies { database: Database, confirmPassword: ConfirmPassword, orderMail: OrderMail }

/**
 * Begins a change of the signed-in person's address: a link goes to the new one, or word that it is taken, after the same
 * work, and the old one is told. Nothing changes before the link is used, which a change of password in between makes
 * void. Throws what {@link ConfirmPassword} throws, and CodedError INVALID_INPUT for an address that is wrong or the same.
 */
export type RequestEmailChange = (principal: Principal, request: { email: string, password: string }, context: RequestContext) => Promise<void>

export function createRequestEmailChange ({ database, confirmPassword, orderMail }: RequestEmailChangeDependencies): RequestEmailChange {
  return async (principal, { email, password }, context) => {
    const user = await confirmPassword(principal, password, 'authn_login_fail', context)
    const emailCanonical = canonicalEmail(email)
    if (emailCanonical === undefined) throw invalidInput([{ path: '/body/email', code: 'format', message: 'Give an e-mail address such as ada@example.com.' }])
    if (emailCanonical === user.emailCanonical) throw invalidInput([{ path: '/body/email', code: 'unchanged', message: 'This is the address of your account already.' }])
    await database.transaction(async stores => {
      const taken = await stores.users.findTakenNames(emailCanonical, null)
      await orderMail(stores, taken.email
        ? { template: 'already-registered', recipient: emailCanonical, values: { taken: 'new-email' } }
        : { template: 'change-email', userId: user.id, recipient: emailCanonical, values: { email, version: String(user.credentialVersion) } })
      await orderMail(stores, { template: 'security-notice', userId: user.id, recipient: user.emailCanonical, values: { notice: 'email-change-requested', newEmail: email, ...whence(context) } })
    })
  }
}

import type { RequestContext } from '../audit/audit.ts'
import type { OrderMail } from '../mail/order-mail.ts'
import type { User } from '../schemas/user.ts'
import type { CreateAccount } from './create-account.ts'
import type { NewAccount } from './new-account.ts'
import { toUser } from './to-user.ts'

export interface RegisterDependencies { createAccount: CreateAccount, orderMail: OrderMail }

/** Registers a person with the role `user`, and sends them a link that confirms their address. Throws what {@link CreateAccount} throws. */
export type Register = (account: NewAccount, context: RequestContext) => Promise<User>

export function createRegister ({ createAccount, orderMail }: RegisterDependencies): Register {
  return async (account, context) => toUser(await createAccount(account, {
    roles: ['user'],
    emailVerified: false,
    also: async (stores, { id, emailCanonical }) => { await orderMail(stores, { template: 'verify-email', userId: id, recipient: emailCanonical }) }
  }, context))
}

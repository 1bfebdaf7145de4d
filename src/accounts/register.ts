import type { RequestContext } from '../audit/audit.ts'
import type { User } from '../schemas/user.ts'
import type { CreateAccount, NewAccount } from './create-account.ts'
import { toUser } from './to-user.ts'

/** Registers a person with the role `user`. Throws what {@link CreateAccount} throws. */
export type Register = (account: NewAccount, context: RequestContext) => Promise<User>

export function createRegister ({ createAccount }: { createAccount: CreateAccount }): Register {
  return async (account, context) => toUser(await createAccount(account, ['user'], context))
}

import type { Audit, RequestContext } from '../audit/audit.ts'
import type { Database, Stores } from '../db/stores.ts'
import type { UserRow } from '../db/users.ts'
import { userAlreadyExists } from '../errors.ts'
import type { Passwords } from '../passwords/passwords.ts'
import { judgeNewAccount, rowOfNewAccount, type NewAccount } from './new-account.ts'

export interface CreateAccountDependencies { database: Database, audit: Audit, passwords: Passwords }

/** How a person joins. */
export interface Joining {
  roles: string[]
  /** Somebody vouches for the address. */
  emailVerified: boolean
  /** Somebody else adds them, whom the trail cannot name. */
  byOperator?: boolean
  /** What else belongs to the transaction. */
  also?: (stores: Stores, user: UserRow) => Promise<void>
}

/** Adds a person who has a password. */
export type CreateAccount = (account: NewAccount, joining: Joining, context: RequestContext) => Promise<UserRow>

/**
 * Makes the rule that adds accounts. It throws CodedError INVALID_INPUT for a weak password or a wrong address and
 * USER_ALREADY_EXISTS where e-mail or username is taken, also when the other one was committed a moment ago.
 */
export function createCreateAccount ({ database, audit, passwords }: CreateAccountDependencies): CreateAccount {
  return async (account, { roles, emailVerified, byOperator = false, also }, context) => {
    const names = await judgeNewAccount(passwords, account)
    const rejectTaken = async (stores: Pick<Stores, 'users'>) => {
      const taken = await stores.users.findTakenNames(names.emailCanonical, names.usernameCanonical)
      if (taken.email || taken.username) throw userAlreadyExists(taken)
    }
    await rejectTaken(database)
    const passwordHash = await passwords.hash(account.password)
    return await audit.transaction(context, async (stores, record) => {
      const user = rowOfNewAccount(account, names, { passwordHash, roles, emailVerifiedAt: emailVerified ? new Date() : null })
      // A name that is taken at the first try may be free again at the second: its holder was deleted in between.
      const row = await stores.users.insert(user) ?? (await rejectTaken(stores), await stores.users.insert(user))
      if (row === undefined) throw userAlreadyExists({ email: true, username: false })
      await also?.(stores, row)
      record({ type: 'user_created', outcome: 'success', actorId: byOperator ? undefined : user.id, targetId: user.id })
      return row
    })
  }
}

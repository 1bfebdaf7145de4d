import { v7 as uuidv7 } from 'uuid'
import type { Audit, RequestContext } from '../audit/audit.ts'
import type { Database, Stores } from '../db/stores.ts'
import type { UserRow } from '../db/users.ts'
import { invalidInput, userAlreadyExists } from '../errors.ts'
import type { Passwords } from '../passwords/passwords.ts'
import { canonicalEmail } from './email.ts'
import { canonicalUsername } from './username.ts'

export interface NewAccount {
  email: string
  password: string
  username?: string
  firstName?: string
  lastName?: string
}

export interface CreateAccountDependencies { database: Database, audit: Audit, passwords: Passwords }

/** How a person joins. */
export interface Joining {
  roles: string[]
  /** Somebody vouches for the address. */
  emailVerified: boolean
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
  return async (account, { roles, emailVerified, also }, context) => {
    const emailCanonical = canonicalEmail(account.email)
    const usernameCanonical = account.username === undefined ? null : canonicalUsername(account.username)
    if (emailCanonical === undefined) {
      throw invalidInput([{ path: '/body/email', code: 'format', message: 'Give an e-mail address such as ada@example.com.' }])
    }
    const weaknesses = await passwords.check(account.password, '/body/password', account)
    if (weaknesses.length > 0) throw invalidInput(weaknesses)

    const rejectTaken = async (stores: Pick<Stores, 'users'>) => {
      const taken = await stores.users.findTakenNames(emailCanonical, usernameCanonical)
      if (taken.email || taken.username) throw userAlreadyExists(taken)
    }
    await rejectTaken(database)
    const passwordHash = await passwords.hash(account.password)
    return await audit.transaction(context, async (stores, record) => {
      const id = uuidv7()
      const user = {
        id,
        email: account.email,
        emailCanonical,
        username: account.username ?? null,
        usernameCanonical,
        firstName: account.firstName ?? null,
        lastName: account.lastName ?? null,
        passwordHash,
        roles,
        emailVerifiedAt: emailVerified ? new Date() : null
      }
      // A name that is taken at the first try may be free again at the second: its holder was deleted in between.
      const row = await stores.users.insert(user) ?? (await rejectTaken(stores), await stores.users.insert(user))
      if (row === undefined) throw userAlreadyExists({ email: true, username: false })
      await also?.(stores, row)
      record({ type: 'user_created', outcome: 'success', actorId: id, targetId: id })
      return row
    })
  }
}

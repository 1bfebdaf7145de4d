import { v7 as uuidv7 } from 'uuid'
import type { NewUser } from '../db/users.ts'
import { invalidInput } from '../errors.ts'
import type { PasswordPolicy } from '../passwords/policy.ts'
import { canonicalEmail } from './email.ts'
import { canonicalUsername } from './username.ts'

/** What somebody registers with. */
export interface NewAccount {
  email: string
  password: string
  username?: string
  firstName?: string
  lastName?: string
}

/** The forms in which names are compared. */
export interface CanonicalNames { emailCanonical: string, usernameCanonical: string | null }

/** Judges a new account before anything else is done. Throws CodedError INVALID_INPUT for a weak password or a wrong address. */
export async function judgeNewAccount (passwords: PasswordPolicy, account: NewAccount): Promise<CanonicalNames> {
  const emailCanonical = canonicalEmail(account.email)
  if (emailCanonical === undefined) {
    throw invalidInput([{ path: '/body/email', code: 'format', message: 'Give an e-mail address such as ada@example.com.' }])
  }
  const weaknesses = await passwords.check(account.password, '/body/password', account)
  if (weaknesses.length > 0) throw invalidInput(weaknesses)
  return { emailCanonical, usernameCanonical: account.username === undefined ? null : canonicalUsername(account.username) }
}

/** The row of a new account, with an id of its own. */
export function rowOfNewAccount (account: NewAccount, names: CanonicalNames, secured: Pick<NewUser, 'passwordHash' | 'roles' | 'emailVerifiedAt'>): NewUser & { id: string } {
  return {
    ...names,
    ...secured,
    id: uuidv7(),
    email: account.email,
    username: account.username ?? null,
    firstName: account.firstName ?? null,
    lastName: account.lastName ?? null
  }
}

import type { UserClaim } from '../db/address-proof.ts'
import type { UserRow } from '../db/users.ts'
import type { NewAccount } from './new-account.ts'
import { canonicalUsername } from './username.ts'

/** In place of a password hash: no password makes it. It is checked at the cost of one. */
export const unmatchable = '!'

/**
 * Whether a registration may claim an account: somebody registered it and nobody has proven the address. An account that
 * was made for somebody (it has no password), and one that has rights, belongs to nobody else.
 */
export const isClaimable = (user: UserRow): boolean =>
  user.emailVerifiedAt === null && user.passwordHash !== null && user.roles.every(role => role === 'user')

/** Whether registrations compete for the account, so that it has nobody's password. */
export const isContested = ({ passwordHash }: Pick<UserRow, 'passwordHash'>): boolean => passwordHash === unmatchable

/** What a registration set up, as its mail and then its token carry it. The hash is as sensitive as that of an account. */
export function claimToData ({ email, username, firstName, lastName }: Omit<NewAccount, 'password'>, passwordHash: string): Record<string, string> {
  return {
    email,
    passwordHash,
    ...username !== undefined && { username },
    ...firstName !== undefined && { firstName },
    ...lastName !== undefined && { lastName }
  }
}

/** What the use of a token puts into force; undefined for one that only proves the address. */
export function claimOfData ({ email, passwordHash, username, firstName, lastName }: Record<string, string>): UserClaim | undefined {
  if (email === undefined || passwordHash === undefined) return undefined
  return {
    email,
    passwordHash,
    username: username ?? null,
    usernameCanonical: username === undefined ? null : canonicalUsername(username),
    firstName: firstName ?? null,
    lastName: lastName ?? null
  }
}

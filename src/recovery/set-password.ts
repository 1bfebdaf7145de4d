import type { Audit, RequestContext } from '../audit/audit.ts'
import type { ActionToken } from '../db/action-tokens.ts'
import type { Database } from '../db/stores.ts'
import type { UserRow } from '../db/users.ts'
import { invalidInput } from '../errors.ts'
import { whence, type OrderMail } from '../mail/order-mail.ts'
import type { Passwords } from '../passwords/passwords.ts'
import type { LoginLock } from '../sessions/login-lock.ts'
import { actionTokenInvalid, hashActionToken, useActionToken, voidLinks } from './action-token.ts'

export interface SetPasswordDependencies { database: Database, audit: Audit, passwords: Passwords, loginLock: LoginLock, orderMail: OrderMail }

/** The links that set a password: to people who forgot theirs, and to those who were invited and have none. */
export type PasswordLink = 'reset-password' | 'invitation'

/**
 * Sets a password by the token of a link. The token is judged first and stays good where the password is weak. The address
 * is proven by it; every session ends, failures are forgotten, devices are known no more, and other links are void, but
 * those that take back a change of e-mail: whoever has only the new mailbox must not keep the account with it. Nobody is
 * signed in. Throws CodedError ACTION_TOKEN_INVALID, INVALID_INPUT for a weak password, and OVERLOADED.
 */
export type SetPassword = (link: { token: string, password: string }, context: RequestContext) => Promise<void>

export function createSetPassword (purpose: PasswordLink, { database, audit, passwords, loginLock, orderMail }: SetPasswordDependencies): SetPassword {
  /** The account that a token is good for: in use, with the address that the token went to. */
  function accountOf (token: ActionToken | undefined, user: UserRow | undefined): UserRow {
    if (user?.isActive !== true || user.emailCanonical !== token?.email) throw actionTokenInvalid()
    if (purpose === 'invitation' && user.passwordHash !== null) throw actionTokenInvalid()
    return user
  }

  return async ({ token, password }, context) => {
    const found = await database.actionTokens.find(hashActionToken(token), purpose)
    const person = accountOf(found, found && await database.users.findById(found.userId))
    const weaknesses = await passwords.check(password, '/body/password', person)
    if (weaknesses.length > 0) throw invalidInput(weaknesses)
    const passwordHash = await passwords.hash(password)
    await audit.transaction(context, async (stores, record) => {
      const used = await useActionToken(stores, token, purpose)
      const { id, emailCanonical } = accountOf(used, await stores.users.findById(used.userId))
      const sessionsEnded = await stores.sessions.revokeAll(id)
      await stores.users.recover(id, passwordHash)
      await voidLinks(stores, id)
      await loginLock.forgive(stores, id)
      const reason = purpose === 'invitation' ? 'invitation' : 'reset'
      record({ type: 'authn_password_change', outcome: 'success', actorId: id, targetId: id, details: { reason, sessionsEnded } })
      if (purpose === 'invitation') return
      await orderMail(stores, { template: 'security-notice', userId: id, recipient: emailCanonical, values: { notice: 'password-reset', ...whence(context) } })
    })
  }
}

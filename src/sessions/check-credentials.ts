import { canonicalEmail } from '../accounts/email.ts'
import { canonicalUsername } from '../accounts/username.ts'
import type { Audit, AuditEvent, RequestContext } from '../audit/audit.ts'
import type { Database } from '../db/stores.ts'
import type { UserRow } from '../db/users.ts'
import { CodedError } from '../errors.ts'
import type { Passwords } from '../passwords/passwords.ts'
import { accountSubject } from './confirm-password.ts'
import type { Attempt, LoginLock } from './login-lock.ts'

/** Who wants to sign in: exactly one of `email` and `username`. */
export interface Credentials { email?: string, username?: string, password: string }

/** Somebody who gave the right password and may sign in, as the account was when it was checked. */
export interface Recognised { user: UserRow, hash: string, attempt: Attempt }

/**
 * What becomes of people who have not proven their address: they may sign in, or are told not to after the right
 * password, or are answered as if the password were wrong, so that nobody learns that the address is registered.
 */
export type EmailVerification = 'optional' | 'required' | 'hidden'

export interface CheckCredentialsDependencies {
  database: Database
  audit: Audit
  passwords: Passwords
  loginLock: LoginLock
  emailVerification: EmailVerification
}

/**
 * Finds out who gives these credentials. Throws CodedError INVALID_CREDENTIALS (unknown person and wrong password alike,
 * after the same work), ACCOUNT_DISABLED and EMAIL_NOT_VERIFIED (both only after the right password), TOO_MANY_ATTEMPTS
 * and OVERLOADED.
 */
export type CheckCredentials = (credentials: Credentials, context: RequestContext) => Promise<Recognised>

export const invalidCredentials = () => new CodedError('INVALID_CREDENTIALS', 'The e-mail address, username or password is not right.')
const accountDisabled = () => new CodedError('ACCOUNT_DISABLED', 'This account is disabled; ask an administrator.')
const emailNotVerified = () => new CodedError('EMAIL_NOT_VERIFIED', 'Confirm your e-mail address first: open the link that was sent to it, or ask for a new one with POST /auth/email/resend.')

export function createCheckCredentials ({ database, audit, passwords, loginLock, emailVerification }: CheckCredentialsDependencies): CheckCredentials {
  /** The account and what failures are counted under: the account itself, or the identifier that nobody has. */
  async function identify ({ email, username }: Credentials): Promise<{ user: UserRow | undefined, subject: string }> {
    const name = email === undefined ? canonicalUsername(username ?? '') : canonicalEmail(email) ?? ''
    const user = email === undefined ? await database.users.findByUsername(name) : await database.users.findByEmail(name)
    return { user, subject: user === undefined ? `${email === undefined ? 'username' : 'email'}:${name}` : accountSubject(user.id) }
  }

  async function recordFailure (user: UserRow | undefined, reason: string, locks: boolean, context: RequestContext): Promise<void> {
    const about = user === undefined ? {} : { targetId: user.id }
    const events: AuditEvent[] = [{ type: 'authn_login_fail', outcome: 'failure', ...about, details: { reason } }]
    if (locks) events.push({ type: 'authn_login_lock', outcome: 'success', ...about })
    await audit.append(context, events)
  }

  return async (credentials, context) => {
    const { user, subject } = await identify(credentials)
    const attempt = await loginLock.begin(subject)
    const hash = user?.passwordHash
    const unverified = emailVerification !== 'optional' && user?.emailVerifiedAt === null
    const hidden = unverified && emailVerification === 'hidden'
    const matches = await attempt.judge(async () => await passwords.verify(hash, credentials.password) && !hidden)
    if (!matches || user === undefined || hash === undefined || hash === null) {
      await recordFailure(user, 'credentials', attempt.locks, context)
      throw invalidCredentials()
    }
    if (!user.isActive) {
      await attempt.clear(database)
      await recordFailure(user, 'disabled', false, context)
      throw accountDisabled()
    }
    if (unverified) {
      await attempt.clear(database)
      await recordFailure(user, 'email_not_verified', false, context)
      throw emailNotVerified()
    }
    return { user, hash, attempt }
  }
}

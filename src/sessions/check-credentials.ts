import { canonicalEmail } from '../accounts/email.ts'
import { canonicalUsername } from '../accounts/username.ts'
import type { Audit, RequestContext } from '../audit/audit.ts'
import type { Database } from '../db/stores.ts'
import type { UserRow } from '../db/users.ts'
import { CodedError } from '../errors.ts'
import type { Passwords } from '../passwords/passwords.ts'
import { clientNetwork } from '../rate-limit/client-address.ts'
import type { KnownDevices } from './known-devices.ts'
import type { Attempt, AttemptSubject, LoginLock } from './login-lock.ts'
import type { RecordFailure } from './record-failure.ts'

/** Who wants to sign in: exactly one of `email` and `username`; with the token that an earlier login gave the device, if there was one. */
export interface Credentials { email?: string, username?: string, password: string, deviceToken?: string }

/** Somebody who gave the right password and may sign in, as the account was when it was checked. */
export interface Recognised {
  user: UserRow
  hash: string
  /** Undefined for a device that is not known. */
  deviceId: string | undefined
  attempt: Attempt
}

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
  knownDevices: Pick<KnownDevices, 'recognise'>
  recordFailure: RecordFailure
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

/**
 * Whom credentials name: the account and the device, where there are such, what failures are counted under, and whom a
 * lock is told.
 */
interface Claim { user: UserRow | undefined, deviceId: string | undefined, subject: AttemptSubject, recipient: string | null }

export function createCheckCredentials ({ database, audit, passwords, loginLock, knownDevices, recordFailure, emailVerification }: CheckCredentialsDependencies): CheckCredentials {
  const isUnverified = (user: UserRow | undefined) => emailVerification !== 'optional' && user?.emailVerifiedAt === null
  /** Nobody may learn that there is such an account. */
  const isHidden = (user: UserRow | undefined) => emailVerification === 'hidden' && isUnverified(user)

  async function identify ({ email, username, deviceToken }: Credentials, { ipAddress }: RequestContext): Promise<Claim> {
    const name = email === undefined ? canonicalUsername(username ?? '') : canonicalEmail(email) ?? ''
    const user = email === undefined ? await database.users.findByUsername(name) : await database.users.findByEmail(name)
    const network = clientNetwork(ipAddress)
    // An account that is hidden counts as the name alone: otherwise a registration would start the count of a name again
    // that nobody had, and of no other.
    if (user === undefined || isHidden(user)) {
      return { user, deviceId: undefined, subject: { kind: email === undefined ? 'username' : 'email', id: name, network }, recipient: email === undefined ? null : name }
    }
    const deviceId = knownDevices.recognise(user, deviceToken)
    const subject: AttemptSubject = deviceId === undefined
      ? { kind: 'account', id: user.id, network }
      : { kind: 'device', id: `${user.id}:${deviceId}`, accountId: user.id }
    return { user, deviceId, subject, recipient: user.emailCanonical }
  }

  /** The password was right, and yet nobody is signed in. */
  async function turnAway (user: UserRow, attempt: Attempt, reason: string, context: RequestContext): Promise<void> {
    await attempt.clear(database)
    await audit.append(context, [{ type: 'authn_login_fail', outcome: 'failure', targetId: user.id, details: { reason } }])
  }

  return async (credentials, context) => {
    const { user, deviceId, subject, recipient } = await identify(credentials, context)
    const attempt = await loginLock.begin(subject)
    const hash = user?.passwordHash
    const matches = await attempt.judge(async () => await passwords.verify(hash, credentials.password) && !isHidden(user))
    if (!matches || user === undefined || hash === undefined || hash === null) {
      await recordFailure({ attempt, recipient, event: { type: 'authn_login_fail', outcome: 'failure', targetId: user?.id, details: { reason: 'credentials' } } }, context)
      throw invalidCredentials()
    }
    if (!user.isActive) {
      await turnAway(user, attempt, 'disabled', context)
      throw accountDisabled()
    }
    if (isUnverified(user)) {
      await turnAway(user, attempt, 'email_not_verified', context)
      throw emailNotVerified()
    }
    return { user, hash, deviceId, attempt }
  }
}

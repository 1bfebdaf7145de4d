import { v7 as uuidv7 } from 'uuid'
import { canonicalEmail } from '../accounts/email.ts'
import { toUser } from '../accounts/to-user.ts'
import { canonicalUsername } from '../accounts/username.ts'
import type { Audit, AuditEvent, RequestContext } from '../audit/audit.ts'
import type { SessionLives } from '../db/sessions.ts'
import type { Database } from '../db/stores.ts'
import type { UserRow } from '../db/users.ts'
import { CodedError } from '../errors.ts'
import type { KeyRing } from '../keys/key-ring.ts'
import type { Passwords } from '../passwords/passwords.ts'
import type { LoginResult } from '../schemas/token.ts'
import { accountSubject } from './confirm-password.ts'
import type { IssueTokens } from './issue-tokens.ts'
import type { LoginLock } from './login-lock.ts'
import { createRefreshSecret, hashRefreshSecret } from './refresh-token.ts'

/** Who wants to sign in: exactly one of `email` and `username`. */
export interface Credentials { email?: string, username?: string, password: string }

export interface LoginDependencies {
  database: Database
  audit: Audit
  passwords: Passwords
  keyRing: KeyRing
  loginLock: LoginLock
  issueTokens: IssueTokens
  lives: SessionLives
  /** Live sessions that a person may have, the oldest ones end; undefined for no bound. */
  maxPerUser: number | undefined
  emailVerification: EmailVerification
}

/**
 * What becomes of people who have not proven their address: they may sign in, or are told not to after the right
 * password, or are answered as if the password were wrong, so that nobody learns that the address is registered.
 */
export type EmailVerification = 'optional' | 'required' | 'hidden'

/**
 * Signs a person in. Throws CodedError INVALID_CREDENTIALS (unknown person and wrong password alike, after the same
 * work), ACCOUNT_DISABLED and EMAIL_NOT_VERIFIED (both only after the right password), TOO_MANY_ATTEMPTS and OVERLOADED.
 */
export type Login = (credentials: Credentials, context: RequestContext) => Promise<LoginResult>

const invalidCredentials = () => new CodedError('INVALID_CREDENTIALS', 'The e-mail address, username or password is not right.')
const accountDisabled = () => new CodedError('ACCOUNT_DISABLED', 'This account is disabled; ask an administrator.')
const emailNotVerified = () => new CodedError('EMAIL_NOT_VERIFIED', 'Confirm your e-mail address first: open the link that was sent to it, or ask for a new one with POST /auth/email/resend.')

export function createLogin (deps: LoginDependencies): Login {
  const { database, audit, passwords } = deps

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

  /** A stronger configuration reaches people at their next login; a busy moment only puts it off to the one after. */
  async function strengthenHash (user: UserRow, hash: string, password: string): Promise<void> {
    if (!passwords.needsRehash(hash)) return
    try {
      await database.users.replacePasswordHash(user.id, hash, await passwords.hash(password))
    } catch (error) {
      if (!(error instanceof CodedError)) throw error
    }
  }

  return async (credentials, context) => {
    const { user, subject } = await identify(credentials)
    const attempt = await deps.loginLock.begin(subject)
    const hash = user?.passwordHash
    const unverified = deps.emailVerification !== 'optional' && user?.emailVerifiedAt === null
    const hidden = unverified && deps.emailVerification === 'hidden'
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
    const sessionId = uuidv7()
    const secret = createRefreshSecret()
    const openSession = async () => await audit.transaction(context, async (stores, record) => {
      const opened = await stores.sessions.open({
        ...deps.lives,
        ...context,
        id: sessionId,
        userId: user.id,
        credentialVersion: user.credentialVersion,
        refreshHash: hashRefreshSecret(secret)
      })
      if (opened === undefined) throw invalidCredentials()
      await attempt.clear(stores)
      const about = { actorId: user.id, targetId: user.id, sessionId }
      record({ type: 'authn_login_success', outcome: 'success', ...about })
      record({ type: 'session_created', outcome: 'success', ...about })
      const ended = deps.maxPerUser === undefined ? [] : await stores.sessions.revokeBeyond(user.id, deps.maxPerUser, sessionId)
      for (const endedId of ended) record({ type: 'authn_token_revoked', outcome: 'success', ...about, sessionId: endedId, details: { reason: 'session_limit' } })
      return opened
    })
    const opened = await attempt.forgiving(async () => {
      // No session is opened whose tokens could not be signed.
      await deps.keyRing.signingKid()
      return await openSession()
    })
    await strengthenHash(user, hash, credentials.password)
    const pair = await deps.issueTokens({
      ...opened, now: opened.authTime, sessionId, userId: user.id, refresh: { n: 0, secret }
    })
    return { ...pair, user: toUser({ ...user, roles: opened.roles, lastLoginAt: opened.authTime }) }
  }
}

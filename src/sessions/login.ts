import { v7 as uuidv7 } from 'uuid'
import { toUser } from '../accounts/to-user.ts'
import type { Audit, RequestContext } from '../audit/audit.ts'
import type { SessionLives } from '../db/sessions.ts'
import type { Database } from '../db/stores.ts'
import type { UserRow } from '../db/users.ts'
import { CodedError } from '../errors.ts'
import type { KeyRing } from '../keys/key-ring.ts'
import type { Passwords } from '../passwords/passwords.ts'
import { whence, type OrderMail } from '../mail/order-mail.ts'
import type { LoginResult } from '../schemas/token.ts'
import { invalidCredentials, type CheckCredentials, type Credentials } from './check-credentials.ts'
import type { IssueTokens } from './issue-tokens.ts'
import type { KnownDevices } from './known-devices.ts'
import { createRefreshSecret, hashRefreshSecret } from './refresh-token.ts'

export interface LoginDependencies {
  database: Database
  audit: Audit
  passwords: Passwords
  keyRing: KeyRing
  checkCredentials: CheckCredentials
  knownDevices: Pick<KnownDevices, 'issue'>
  orderMail: OrderMail
  issueTokens: IssueTokens
  lives: SessionLives
  /** Live sessions that a person may have, the oldest ones end; undefined for no bound. */
  maxPerUser: number | undefined
}

/** Signs a person in. Throws what {@link CheckCredentials} throws. */
export type Login = (credentials: Credentials, context: RequestContext) => Promise<LoginResult>

export function createLogin (deps: LoginDependencies): Login {
  const { database, audit, passwords } = deps

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
    const { user, hash, deviceId, attempt } = await deps.checkCredentials(credentials, context)
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
      const about = { actorId: user.id, targetId: user.id, sessionId }
      record({ type: 'authn_login_success', outcome: 'success', ...about })
      record({ type: 'session_created', outcome: 'success', ...about })
      const ended = deps.maxPerUser === undefined ? [] : await stores.sessions.revokeBeyond(user.id, deps.maxPerUser, sessionId)
      for (const endedId of ended) record({ type: 'authn_token_revoked', outcome: 'success', ...about, sessionId: endedId, details: { reason: 'session_limit' } })
      // Nobody signed in before on any device: the first sign-in is no news to whoever registered.
      if (deviceId === undefined && user.lastLoginAt !== null) {
        await deps.orderMail(stores, { template: 'security-notice', userId: user.id, recipient: user.emailCanonical, values: { notice: 'new-device', ...whence(context) } })
      }
      // Last, since it holds the count of the address, which others share, until the commit.
      await attempt.clear(stores)
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
    return {
      ...pair,
      user: toUser({ ...user, roles: opened.roles, lastLoginAt: opened.authTime }),
      deviceToken: deps.knownDevices.issue(user.id, deviceId, opened.authTime)
    }
  }
}

import type { Audit, EventType, RequestContext } from '../audit/audit.ts'
import type { Database } from '../db/stores.ts'
import type { UserRow } from '../db/users.ts'
import { CodedError } from '../errors.ts'
import type { Passwords } from '../passwords/passwords.ts'
import type { Principal } from './authenticate.ts'
import type { LoginLock } from './login-lock.ts'

export interface ConfirmPasswordDependencies { database: Database, audit: Audit, passwords: Passwords, loginLock: LoginLock }

/**
 * Checks the password of somebody who is signed in, under the same count of failures as a login. Answers their account
 * as it was when the password was checked. Throws CodedError PASSWORD_INCORRECT, TOO_MANY_ATTEMPTS, OVERLOADED, and
 * SESSION_REVOKED where the account is gone.
 */
export type ConfirmPassword = (principal: Principal, password: string, failure: EventType, context: RequestContext) => Promise<UserRow>

export function createConfirmPassword ({ database, audit, passwords, loginLock }: ConfirmPasswordDependencies): ConfirmPassword {
  return async ({ userId, sessionId }, password, failure, context) => {
    const user = await database.users.findById(userId)
    if (user === undefined) throw new CodedError('SESSION_REVOKED', 'The account no longer exists; sign in again.')
    const attempt = await loginLock.begin(accountSubject(userId))
    if (await attempt.judge(async () => await passwords.verify(user.passwordHash, password))) {
      await attempt.clear(database)
      return user
    }
    const about = { actorId: userId, targetId: userId, sessionId }
    await audit.append(context, [
      { type: failure, outcome: 'failure', ...about, details: { reason: 'credentials' } },
      ...attempt.locks ? [{ type: 'authn_login_lock' as const, outcome: 'success' as const, ...about }] : []
    ])
    throw new CodedError('PASSWORD_INCORRECT', 'The password is not right.')
  }
}

/** What the failures of an account are counted under. */
export const accountSubject = (userId: string): string => `account:${userId}`

import type { EventType, RequestContext } from '../audit/audit.ts'
import type { Database } from '../db/stores.ts'
import type { UserRow } from '../db/users.ts'
import { CodedError } from '../errors.ts'
import type { Passwords } from '../passwords/passwords.ts'
import type { Principal } from './authenticate.ts'
import type { LoginLock } from './login-lock.ts'
import type { RecordFailure } from './record-failure.ts'

export interface ConfirmPasswordDependencies { database: Database, passwords: Passwords, loginLock: LoginLock, recordFailure: RecordFailure }

/**
 * Checks the password of somebody who is signed in, under the limits of a login. Failures are counted for the session, so
 * that nobody from outside locks its owner out, and whoever stole it gets no more than that count; a success starts that
 * of the account again, too. Answers the account as it was when the password was checked. Throws CodedError
 * PASSWORD_INCORRECT, TOO_MANY_ATTEMPTS, OVERLOADED, and SESSION_REVOKED where the account is gone.
 */
export type ConfirmPassword = (principal: Principal, password: string, failure: EventType, context: RequestContext) => Promise<UserRow>

export function createConfirmPassword ({ database, passwords, loginLock, recordFailure }: ConfirmPasswordDependencies): ConfirmPassword {
  return async ({ userId, sessionId }, password, failure, context) => {
    const user = await database.users.findById(userId)
    if (user === undefined) throw new CodedError('SESSION_REVOKED', 'The account no longer exists; sign in again.')
    const attempt = await loginLock.begin({ kind: 'session', id: sessionId, accountId: user.id })
    if (await attempt.judge(async () => await passwords.verify(user.passwordHash, password))) {
      await attempt.clear(database)
      return user
    }
    const event = { type: failure, outcome: 'failure' as const, actorId: userId, targetId: userId, sessionId, details: { reason: 'credentials' } }
    await recordFailure({ attempt, event, recipient: user.emailCanonical }, context)
    throw new CodedError('PASSWORD_INCORRECT', 'The password is not right.')
  }
}

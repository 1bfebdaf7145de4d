import type { LockPolicy } from '../db/login-attempts.ts'
import type { Database, Stores } from '../db/stores.ts'
import { CodedError } from '../errors.ts'
import { mac, type Secrets } from '../keys/secrets.ts'

/** Longest wait between two tries, in seconds. */
const maxLockSeconds = 15 * 60

export interface LoginLockOptions { maxFailures: number, lockSeconds: number }

/** One counted attempt: it stands as a failure unless it is cleared or released. */
export interface Attempt {
  /** True where this attempt, should it fail, is the one that locks. */
  readonly locks: boolean
  /** The password was right. */
  clear(stores: Pick<Stores, 'loginAttempts'>): Promise<void>
  /** Runs the check of the password; where that fails to judge it, the attempt does not count. */
  judge(verify: () => Promise<boolean>): Promise<boolean>
}

/** Limits consecutive failures per account, or per identifier where there is no account (NIST SP 800-63B-4, 3.2.2). */
export interface LoginLock {
  /** Counts an attempt before its password is checked. Throws CodedError TOO_MANY_ATTEMPTS while locked. */
  begin(subject: string): Promise<Attempt>
}

export function createLoginLock (database: Database, secrets: Secrets, options: LoginLockOptions): LoginLock {
  const policy: LockPolicy = { ...options, maxLockSeconds: Math.max(maxLockSeconds, options.lockSeconds) }
  return {
    async begin (subject) {
      const key = mac(secrets, 'login-attempt', subject)
      const reservation = await database.loginAttempts.reserve(key, policy)
      if (!reservation.allowed) {
        throw new CodedError('TOO_MANY_ATTEMPTS', 'Too many failed logins in a row; wait before the next try.', { retryAfterSeconds: reservation.retryAfterSeconds })
      }
      return {
        locks: reservation.failures >= policy.maxFailures,
        clear: async stores => { await stores.loginAttempts.clear(key) },
        async judge (verify) {
          try {
            return await verify()
          } catch (error) {
            await database.loginAttempts.release(key, policy)
            throw error
          }
        }
      }
    }
  }
}

import { setTimeout as delay } from 'node:timers/promises'
import type { AttemptReservation, LockPolicy } from '../db/login-attempts.ts'
import type { Database, Stores } from '../db/stores.ts'
import { CodedError } from '../errors.ts'
import { mac, type Secrets } from '../keys/secrets.ts'

/** Longest wait between two tries, in seconds. */
const maxLockSeconds = 15 * 60

/** Milliseconds between looks at a counter whose attempts are still being judged. */
const patience = [50, 150, 300, 500]

export interface LoginLockOptions { maxFailures: number, lockSeconds: number }

/** One counted attempt: it stands as a failure unless it is cleared or released. */
export interface Attempt {
  /** True where this attempt, should it fail, is the one that locks. */
  readonly locks: boolean
  /** The password was right. */
  clear(stores: Pick<Stores, 'loginAttempts'>): Promise<void>
  /** Runs the check of the password; where that fails to judge it, the attempt does not count. A wrong one locks where it is due. */
  judge(verify: () => Promise<boolean>): Promise<boolean>
  /** Runs what follows a right password; where that fails, the attempt does not count. */
  forgiving<T>(work: () => Promise<T>): Promise<T>
}

/** Limits consecutive failures per account, or per identifier where there is no account (NIST SP 800-63B-4, 3.2.2). */
export interface LoginLock {
  /** Counts an attempt before its password is checked. Throws CodedError TOO_MANY_ATTEMPTS while locked, OVERLOADED while too many are being checked. */
  begin(subject: string): Promise<Attempt>
  /** Forgets the failures of a subject, the longest lock too: somebody proved by another way who they are. */
  forgive(stores: Pick<Stores, 'loginAttempts'>, subject: string): Promise<void>
}

export function createLoginLock (database: Database, secrets: Secrets, options: LoginLockOptions): LoginLock {
  const policy: LockPolicy = { ...options, maxLockSeconds: Math.max(maxLockSeconds, options.lockSeconds) }

  /** Waits a little for attempts under way: somebody who signs in on many devices at once fails nowhere. */
  async function reserve (key: Buffer): Promise<AttemptReservation> {
    let reservation = await database.loginAttempts.reserve(key, policy)
    for (const milliseconds of patience) {
      if (reservation.allowed || !reservation.pending) return reservation
      await delay(milliseconds)
      reservation = await database.loginAttempts.reserve(key, policy)
    }
    return reservation
  }

  const keyOf = (subject: string): Buffer => mac(secrets, 'login-attempt', subject)

  return {
    forgive: async (stores, subject) => { await stores.loginAttempts.clear(keyOf(subject)) },
    async begin (subject) {
      const key = keyOf(subject)
      const reservation = await reserve(key)
      if (!reservation.allowed && reservation.pending) {
        throw new CodedError('OVERLOADED', 'Other logins of this account are being checked; try again.', { retryAfterSeconds: 1 })
      }
      if (!reservation.allowed) {
        throw new CodedError('TOO_MANY_ATTEMPTS', 'Too many failed logins in a row; wait before the next try.', { retryAfterSeconds: reservation.retryAfterSeconds })
      }
      const locks = reservation.failures >= policy.maxFailures
      async function forgiving<T> (work: () => Promise<T>): Promise<T> {
        try {
          return await work()
        } catch (error) {
          // Where the database is what fails, the counter cannot be corrected either; the lock then ends by itself.
          await database.loginAttempts.release(key).catch(() => {})
          throw error
        }
      }
      return {
        locks,
        forgiving,
        clear: async stores => { await stores.loginAttempts.clear(key) },
        async judge (verify) {
          const matches = await forgiving(verify)
          if (!matches && locks) await database.loginAttempts.lock(key, policy)
          return matches
        }
      }
    }
  }
}

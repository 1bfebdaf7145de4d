import { eq, sql } from 'drizzle-orm'
import type { Run } from './pool.ts'
import { loginAttempts } from './tables.ts'

/** How many failures in a row lock a login, and for how long. */
export interface LockPolicy {
  maxFailures: number
  /** Seconds of the first lock; each further failure doubles it up to `maxLockSeconds`. */
  lockSeconds: number
  maxLockSeconds: number
}

export type AttemptReservation = { allowed: true, failures: number } | { allowed: false, retryAfterSeconds: number }

/** A counter that nobody touched for a day starts again. */
const forgetAfter = sql`now() + interval '1 day'`

export type LoginAttemptStore = ReturnType<typeof createLoginAttemptStore>

/** Consecutive failed logins, counted before the password is checked so that parallel guesses cannot outrun the limit. */
export function createLoginAttemptStore (run: Run) {
  return {
    /**
     * Counts one attempt as failed in advance, unless the key is locked. The attempt that reaches the limit is still
     * allowed and locks everyone after it, until {@link clear} (it succeeded) or {@link release} (it was never judged).
     */
    async reserve (key: Buffer, policy: LockPolicy): Promise<AttemptReservation> {
      const nextLock = (failures: ReturnType<typeof sql>) => sql`case when ${failures} >= ${policy.maxFailures}::int
        then now() + make_interval(secs => least(${policy.lockSeconds}::float8 * power(2, least(${failures} - ${policy.maxFailures}::int, 20)), ${policy.maxLockSeconds}::float8))
        end`
      const counted = sql`case when ${loginAttempts.expiresAt} <= now() then 1 else ${loginAttempts.failures} + 1 end`
      return await run(async orm => {
        const [counter] = await orm.insert(loginAttempts)
          .values({ key, failures: 1, lockedUntil: nextLock(sql`1`), expiresAt: forgetAfter })
          .onConflictDoUpdate({
            target: loginAttempts.key,
            set: { failures: counted, lockedUntil: nextLock(counted), expiresAt: forgetAfter },
            setWhere: sql`${loginAttempts.lockedUntil} is null or ${loginAttempts.lockedUntil} <= now()`
          })
          .returning({ failures: loginAttempts.failures })
        if (counter !== undefined) return { allowed: true, failures: counter.failures }
        const [locked] = await orm.select({ seconds: sql<string>`ceil(extract(epoch from ${loginAttempts.lockedUntil} - now()))` })
          .from(loginAttempts).where(eq(loginAttempts.key, key))
        return { allowed: false, retryAfterSeconds: Math.max(1, Number(locked?.seconds ?? 1)) }
      })
    },

    /** Takes one reservation back: the password was not judged, so the attempt is no failure. */
    async release (key: Buffer, policy: LockPolicy): Promise<void> {
      await run(async orm => await orm.update(loginAttempts).set({
        failures: sql`greatest(${loginAttempts.failures} - 1, 0)`,
        lockedUntil: sql`case when ${loginAttempts.failures} - 1 >= ${policy.maxFailures}::int then ${loginAttempts.lockedUntil} end`
      }).where(eq(loginAttempts.key, key)))
    },

    /** Starts the count again after a success. */
    async clear (key: Buffer): Promise<void> {
      await run(async orm => await orm.delete(loginAttempts).where(eq(loginAttempts.key, key)))
    }
  }
}

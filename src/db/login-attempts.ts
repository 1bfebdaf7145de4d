import { and, eq, lt, sql, type SQL } from 'drizzle-orm'
import type { Run } from './pool.ts'
import { loginAttempts } from './tables.ts'

/** How many failures in a row lock a login, and for how long. */
export interface LockPolicy {
  maxFailures: number
  /** Seconds of the first lock; each further failure doubles it up to `maxLockSeconds`. */
  lockSeconds: number
  maxLockSeconds: number
}

/** `pending`: attempts are under way that may yet succeed, so a moment later the answer may be another. */
export type AttemptReservation =
  | { allowed: true, failures: number }
  | { allowed: false, pending: boolean, retryAfterSeconds: number }

/** A counter that nobody touched for a day starts again. */
const forgetAfter = sql`now() + interval '1 day'`

/** Seconds that the last allowed attempt may take to be judged; longer than a hash ever waits. */
const judgementSeconds = 10

export type LoginAttemptStore = ReturnType<typeof createLoginAttemptStore>

/** Consecutive failed logins, counted before the password is checked so that parallel guesses cannot outrun the limit. */
export function createLoginAttemptStore (run: Run) {
  return {
    /**
     * Counts one attempt as failed in advance, unless the key is locked. The attempt that reaches the limit is still
     * allowed and holds up everyone after it until it is judged: by {@link clear}, {@link lock} or {@link release}.
     */
    async reserve (key: Buffer, { maxFailures }: LockPolicy): Promise<AttemptReservation> {
      const limitReached = (failures: SQL) => sql`${failures} >= ${maxFailures}::int`
      const heldUntil = (failures: SQL) => sql`case when ${limitReached(failures)} then now() + make_interval(secs => ${judgementSeconds}) end`
      const counted = sql`case when ${loginAttempts.expiresAt} <= now() then 1 else ${loginAttempts.failures} + 1 end`
      return await run(async orm => {
        const [counter] = await orm.insert(loginAttempts)
          .values({ key, failures: 1, lockedUntil: heldUntil(sql`1`), pending: limitReached(sql`1`), expiresAt: forgetAfter })
          .onConflictDoUpdate({
            target: loginAttempts.key,
            set: { failures: counted, lockedUntil: heldUntil(counted), pending: limitReached(counted), expiresAt: forgetAfter },
            setWhere: sql`${loginAttempts.lockedUntil} is null or ${loginAttempts.lockedUntil} <= now()`
          })
          .returning({ failures: loginAttempts.failures })
        if (counter !== undefined) return { allowed: true, failures: counter.failures }
        const [locked] = await orm.select({ pending: loginAttempts.pending, seconds: sql<string>`ceil(extract(epoch from ${loginAttempts.lockedUntil} - now()))` })
          .from(loginAttempts).where(eq(loginAttempts.key, key))
        // Cleared or released since: as little as an attempt that is being judged does that say that the login is locked.
        const seconds = locked === undefined || locked.pending ? 0 : Number(locked.seconds)
        return seconds > 0 ? { allowed: false, pending: false, retryAfterSeconds: seconds } : { allowed: false, pending: true, retryAfterSeconds: 1 }
      })
    },

    /** The attempt that reached the limit was judged wrong: locks for the time that its count asks for. */
    async lock (key: Buffer, { maxFailures, lockSeconds, maxLockSeconds }: LockPolicy): Promise<void> {
      const doublings = sql`least(${loginAttempts.failures} - ${maxFailures}::int, 20)`
      await run(async orm => await orm.update(loginAttempts).set({
        pending: false,
        lockedUntil: sql`now() + make_interval(secs => least(${lockSeconds}::float8 * power(2, ${doublings}), ${maxLockSeconds}::float8))`
      }).where(and(eq(loginAttempts.key, key), loginAttempts.pending)))
    },

    /** Takes one reservation back: the password was not judged, so the attempt is no failure and locks nobody. */
    async release (key: Buffer): Promise<void> {
      await run(async orm => await orm.update(loginAttempts).set({
        failures: sql`greatest(${loginAttempts.failures} - 1, 0)`,
        lockedUntil: sql`case when not ${loginAttempts.pending} then ${loginAttempts.lockedUntil} end`,
        pending: false
      }).where(eq(loginAttempts.key, key)))
    },

    /** Starts the count again after a success. */
    async clear (key: Buffer): Promise<void> {
      await run(async orm => await orm.delete(loginAttempts).where(eq(loginAttempts.key, key)))
    },

    /** Forgets counters that nobody touched for a day, `limit` at most; answers how many. */
    async purge (limit: number): Promise<number> {
      return await run(async orm => {
        // Locked as they are found: one that counts again at this moment stays.
        const expired = orm.select({ key: loginAttempts.key }).from(loginAttempts).where(lt(loginAttempts.expiresAt, sql`now()`)).limit(limit).for('update', { skipLocked: true })
        return (await orm.delete(loginAttempts).where(sql`${loginAttempts.key} = any(array(${expired}))`).returning({ key: loginAttempts.key })).length
      })
    }
  }
}

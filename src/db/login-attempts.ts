import { lt, sql } from 'drizzle-orm'
import { clearStatement, lockStatement, refusalStatement, releaseStatement, reserveStatement, settleAddressStatement } from './login-attempt-statements.ts'
import type { Run } from './pool.ts'
import { loginAttempts } from './tables.ts'

/** How many failures in a row lock a login, and for how long. */
export interface LockPolicy {
  maxFailures: number
  /** Seconds of the first lock; each further failure doubles it up to `maxLockSeconds`. */
  lockSeconds: number
  maxLockSeconds: number
  /** Failures in a row after which no time opens the login. */
  lastFailure: number
  /** Seconds after the last failure in which the count starts again, while it is below `lastFailure`. */
  forgetSeconds: number
  /** Failures of one client address in a window. */
  addressMaxFailures: number
  addressWindowSeconds: number
}

/** What an attempt is counted under; the keys are HMACs. */
export interface AttemptCounters {
  key: Buffer
  /** Keys of the same counter under secrets that are not the current one: what they counted goes on. */
  otherKeys: Buffer[]
  /** Key of the account, where the counter is one of a device or session of it. */
  accountKey: Buffer | null
  /** Key of the client's address, where that counts. */
  addressKey: Buffer | null
}

/** An attempt that was counted: as which failure of the login and of the address. */
export interface CountedAttempt {
  failures: number
  /** `window`: which one it was counted in, as the database spells when that ends. */
  address: { failures: number, window: string } | null
}

/** `pending`: attempts are under way that may yet succeed, so a moment later the answer may be another. */
export type AttemptReservation =
  | { allowed: true, counted: CountedAttempt }
  | { allowed: false, pending: boolean, retryAfterSeconds: number }

export type LoginAttemptStore = ReturnType<typeof createLoginAttemptStore>

/** Keys as the statements take them: one text, since the driver makes no array of bytea. */
const listed = (keys: readonly Buffer[]): string | null => keys.length === 0 ? null : keys.map(key => `\\x${key.toString('hex')}`).join(',')

const refused = { allowed: false, pending: true, retryAfterSeconds: 1 } as const

/**
 * Failed logins, counted before the password is checked so that parallel guesses cannot outrun a limit. Locks of rows are
 * taken in one order: the account in `users`, the login, the address.
 */
export function createLoginAttemptStore (run: Run) {
  async function reserveBoth (counters: AttemptCounters, policy: LockPolicy): Promise<{ login: number, address: CountedAttempt['address'] } | undefined> {
    const [row] = await run(async orm => await reserveStatement(orm, {
      key: counters.key, others: listed(counters.otherKeys), account: counters.accountKey, address: counters.addressKey, ...policy
    }))
    if (row === undefined) return undefined
    const { failures, address_failures: ofAddress, address_window: window } = row
    return { login: failures, address: ofAddress === null || window === null ? null : { failures: ofAddress, window } }
  }

  /** Takes one reservation back: the password was not judged, so the attempt is no failure and locks nobody. */
  async function release ({ key, addressKey }: AttemptCounters, { address }: CountedAttempt, { forgetSeconds }: LockPolicy): Promise<void> {
    await run(async orm => await releaseStatement(orm, { key, address: addressKey, window: address?.window ?? null, forgetSeconds }))
  }

  return {
    /**
     * Counts one attempt as failed in advance, for the login and for the address, unless one of them is locked. The attempt
     * that reaches a limit is still allowed and holds up everyone after it until it is judged: by {@link clear},
     * {@link lock} or {@link release}.
     */
    async reserve (counters: AttemptCounters, policy: LockPolicy): Promise<AttemptReservation> {
      const reserved = await reserveBoth(counters, policy)
      const counted = reserved === undefined ? undefined : { failures: reserved.login, address: reserved.address }
      if (counted !== undefined && (counters.addressKey === null || counted.address !== null)) return { allowed: true, counted }
      // The address came to its limit at this very moment.
      if (counted !== undefined) await release(counters, counted, policy)
      const [refusal] = await run(async orm => await refusalStatement(orm, {
        key: counters.key, others: listed(counters.otherKeys), address: counters.addressKey, ...policy
      }))
      // Cleared or released since: as little as an attempt that is being judged does that say that the login is locked.
      const seconds = refusal?.seconds ?? null
      return seconds === null ? refused : { allowed: false, pending: false, retryAfterSeconds: Math.max(1, seconds) }
    },

    /** The attempt was judged wrong: where it reached a limit, the login is locked for the time that its count asks for. */
    async lock ({ key, addressKey }: AttemptCounters, { failures, address }: CountedAttempt, { maxFailures, lockSeconds, maxLockSeconds, addressMaxFailures }: LockPolicy): Promise<void> {
      await run(async orm => {
        if (failures >= maxFailures) await lockStatement(orm, { key, maxFailures, lockSeconds, maxLockSeconds })
        if (address !== null && address.failures >= addressMaxFailures) await settleAddressStatement(orm, { address: addressKey })
      })
    },

    release,

    /** Starts these counts again after a success, and takes the reservation of the address back, whose failures stay. */
    async clear (keys: readonly Buffer[], { addressKey }: AttemptCounters, { address }: CountedAttempt): Promise<void> {
      await run(async orm => await clearStatement(orm, { keys: listed(keys), address: addressKey, window: address?.window ?? null }))
    },

    /** Starts the counts of an account again, with those of its devices and sessions. */
    async forgive (accountKeys: readonly Buffer[]): Promise<void> {
      const keys = sql`string_to_array(${listed(accountKeys)}, ',')::bytea[]`
      await run(async orm => await orm.delete(loginAttempts).where(sql`${loginAttempts.key} = any(${keys}) or ${loginAttempts.accountKey} = any(${keys})`))
    },

    /** Forgets counters that have expired, `limit` at most; answers how many. */
    async purge (limit: number): Promise<number> {
      return await run(async orm => {
        // Locked as they are found: one that counts again at this moment stays.
        const expired = orm.select({ key: loginAttempts.key }).from(loginAttempts).where(lt(loginAttempts.expiresAt, sql`now()`)).limit(limit).for('update', { skipLocked: true })
        return (await orm.delete(loginAttempts).where(sql`${loginAttempts.key} = any(array(${expired}))`).returning({ key: loginAttempts.key })).length
      })
    }
  }
}

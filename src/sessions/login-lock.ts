import { setTimeout as delay } from 'node:timers/promises'
import type { AttemptCounters, AttemptReservation, CountedAttempt, LockPolicy } from '../db/login-attempts.ts'
import type { Database, Stores } from '../db/stores.ts'
import { CodedError } from '../errors.ts'
import { mac, macsOf, type Secrets } from '../keys/secrets.ts'

/** Longest wait between two tries, in seconds. */
const maxLockSeconds = 15 * 60

/** Failures in a row that there may be at most (NIST SP 800-63B-4, 3.2.2): after them no time opens the login. */
const lastFailure = 100

/** Milliseconds between looks at a counter whose attempts are still being judged. */
const patience = [50, 150, 300, 500]

export interface LoginLockOptions {
  maxFailures: number
  lockSeconds: number
  /** Days after the last failure in which a count starts again. */
  forgetDays: number
  addressMaxFailures: number
  addressWindowSeconds: number
}

/** What the failures in a row are those of. */
export interface AttemptSubject {
  kind: 'account' | 'email' | 'username' | 'device' | 'session'
  id: string
  /** The account, where it is a device or session of one: what opens the account opens it, and its success the account. */
  accountId?: string
  /** The client's network, where its failures count too. */
  network?: string
}

/** Something that an attempt locks, as the trail tells it. */
export interface LockDetails { counter: AttemptSubject['kind'] | 'address', failures: number }

/** One counted attempt: it stands as a failure unless it is cleared or released. */
export interface Attempt {
  /** What this attempt locks, should it fail: mostly nothing. */
  readonly locks: readonly LockDetails[]
  /** Whether the person is to be told of that: of the first lock in a row, and of the one that no time opens. */
  readonly tellsOwner: boolean
  /** Runs the check of the password; where that fails to judge it, the attempt does not count. */
  judge(verify: () => Promise<boolean>): Promise<boolean>
  /** The password was wrong: locks what is due. Only needed where {@link locks} says so. */
  lock(stores: Pick<Stores, 'loginAttempts'>): Promise<void>
  /** The password was right: the counts of the login start again, that of the address goes on without this attempt. */
  clear(stores: Pick<Stores, 'loginAttempts'>): Promise<void>
  /** Runs what follows a right password; where that fails, the attempt does not count. */
  forgiving<T>(work: () => Promise<T>): Promise<T>
}

/** Limits failed logins in a row (NIST SP 800-63B-4, 3.2.2; ASVS 6.3.1), and those of a client address. */
export interface LoginLock {
  /** Counts an attempt before its password is checked. Throws CodedError TOO_MANY_ATTEMPTS while locked, OVERLOADED while too many are being checked. */
  begin(subject: AttemptSubject): Promise<Attempt>
  /** Opens an account again, for its devices and sessions too. The transaction of these stores then holds the lock of the account. */
  forgive(stores: Pick<Stores, 'loginAttempts' | 'users'>, userId: string): Promise<void>
}

export function createLoginLock (database: Database, secrets: Secrets, { forgetDays, ...options }: LoginLockOptions): LoginLock {
  const policy: LockPolicy = { ...options, forgetSeconds: forgetDays * 86_400, maxLockSeconds: Math.max(maxLockSeconds, options.lockSeconds), lastFailure }
  const keyOf = (kind: string, id: string): Buffer => mac(secrets, 'login-attempt', `${kind}:${id}`)
  const keysOf = (kind: string, id: string): Buffer[] => macsOf(secrets, 'login-attempt', `${kind}:${id}`)

  /** Waits a little for attempts under way: somebody who signs in on many devices at once fails nowhere. */
  async function reserve (counters: AttemptCounters): Promise<AttemptReservation> {
    let reservation = await database.loginAttempts.reserve(counters, policy)
    for (const milliseconds of patience) {
      if (reservation.allowed || !reservation.pending) return reservation
      await delay(milliseconds)
      reservation = await database.loginAttempts.reserve(counters, policy)
    }
    return reservation
  }

  function attemptOf (subject: AttemptSubject, counters: AttemptCounters, counted: CountedAttempt): Attempt {
    const { failures, address } = counted
    const locksLogin = failures >= policy.maxFailures
    const cleared = [counters.key, ...counters.otherKeys, ...subject.accountId === undefined ? [] : keysOf('account', subject.accountId)]
    async function forgiving<T> (work: () => Promise<T>): Promise<T> {
      try {
        return await work()
      } catch (error) {
        // Where the database is what fails, the counter cannot be corrected either; the lock then ends by itself.
        await database.loginAttempts.release(counters, counted, policy).catch(() => {})
        throw error
      }
    }
    return {
      locks: [
        ...locksLogin ? [{ counter: subject.kind, failures }] : [],
        ...address !== null && address.failures >= policy.addressMaxFailures ? [{ counter: 'address' as const, failures: address.failures }] : []
      ],
      tellsOwner: failures === policy.maxFailures || failures === lastFailure,
      judge: forgiving,
      forgiving,
      lock: async stores => { await stores.loginAttempts.lock(counters, counted, policy) },
      clear: async stores => { await stores.loginAttempts.clear(cleared, counters, counted) }
    }
  }

  return {
    async begin (subject) {
      const { kind, id, accountId, network } = subject
      const counters: AttemptCounters = {
        key: keyOf(kind, id),
        otherKeys: keysOf(kind, id).slice(1),
        accountKey: accountId === undefined ? null : keyOf('account', accountId),
        addressKey: network === undefined ? null : keyOf('address', network)
      }
      const reservation = await reserve(counters)
      if (reservation.allowed) return attemptOf(subject, counters, reservation.counted)
      const { pending, retryAfterSeconds } = reservation
      throw pending
        ? new CodedError('OVERLOADED', 'Other logins of this account are being checked; try again.', { retryAfterSeconds })
        : new CodedError('TOO_MANY_ATTEMPTS', 'There were too many failed logins; wait before the next try, or reset the password.', { retryAfterSeconds })
    },

    async forgive (stores, userId) {
      // In the order of a login, which holds the account when it clears its count.
      await stores.users.lock(userId)
      await stores.loginAttempts.forgive(keysOf('account', userId))
    }
  }
}

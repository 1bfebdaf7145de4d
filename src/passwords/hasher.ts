import { randomBytes } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { BulkheadRejectedError, createBulkhead, type BulkheadStats } from '../bulkhead.ts'
import { CodedError } from '../errors.ts'
import type { HashEngine } from './engines.ts'
import { formatHash, owaspParameters, parseHash, type HashParameters } from './phc.ts'
import { verifierOf } from './verifiers.ts'

export interface PasswordHasherOptions extends Partial<HashParameters> {
  engine: HashEngine
  /** Hashes computed at once; by default one per core, but below `threadPoolSize`. */
  concurrency?: number
  /** Hashes that may wait; beyond it calls are refused. */
  queue?: number
  /** Threads of the libuv pool (UV_THREADPOOL_SIZE). */
  threadPoolSize?: number
  /** Seconds after which a refused caller may try again; rounded up to a whole number of at least 1. */
  retryAfterSeconds?: number
}

/**
 * Makes and checks password hashes. Both kinds of work share one bound; beyond it they throw CodedError OVERLOADED. Hashes
 * of other systems take all slots but one at most, and one of them waits ten seconds at most.
 */
export interface PasswordHasher {
  readonly engineName: HashEngine['name']
  /** A PHC string of argon2id with the configured parameters, of the password in NFC. */
  hash(password: string): Promise<string>
  /**
   * Whether the password made this hash, ours or one of another system (./foreign). No hash (an unknown person) and one
   * that cannot be read or costs too much take the work of a current hash too, and are always false (ASVS 6.3.8: no
   * telling of who has an account).
   */
  verify(hash: string | null | undefined, password: string): Promise<boolean>
  /** Whether the hash is anything but argon2id, version 19, with exactly the configured parameters. */
  needsRehash(hash: string): boolean
  stats(): HasherStats
}

/** `total`: hashes that were begun since the start, to make one or to check one. */
export interface HasherStats extends BulkheadStats { total: number }

/** Hashes that may wait by default: about one second of work for two cores and the slower engine. */
export const defaultQueue = 64

/** Milliseconds that the check of another system's hash waits for others of its kind. */
const dearWaitMs = 10_000

/** Threads of the libuv pool where UV_THREADPOOL_SIZE says nothing. */
export const defaultThreadPoolSize = 4

/**
 * @throws RangeError when `concurrency` would fill the libuv pool: file and DNS work of the whole process then waits
 * behind password hashes.
 */
export function createPasswordHasher (options: PasswordHasherOptions): PasswordHasher {
  const { engine, queue = defaultQueue, threadPoolSize = defaultThreadPoolSize } = options
  const { concurrency = Math.max(1, Math.min(availableParallelism(), threadPoolSize - 1)) } = options
  if (concurrency >= threadPoolSize) {
    throw new RangeError(`concurrency (${concurrency}) must be below the size of the libuv thread pool (${threadPoolSize}): lower it, or raise UV_THREADPOOL_SIZE and threadPoolSize`)
  }
  const parameters: HashParameters = {
    memoryKib: options.memoryKib ?? owaspParameters.memoryKib,
    timeCost: options.timeCost ?? owaspParameters.timeCost,
    parallelism: options.parallelism ?? owaspParameters.parallelism
  }
  const bulkhead = createBulkhead({ concurrency, queue })
  // Hashes that may cost seconds wait for one another first, so that a few of them do not hold up everybody's logins.
  const dear = createBulkhead({ concurrency: Math.max(1, concurrency - 1), queue, queueTimeoutMs: dearWaitMs })
  const retryAfterSeconds = Math.max(1, Math.ceil(options.retryAfterSeconds ?? 1))
  // A random tag is as much work to check as a real one, and no password makes it.
  const decoy = formatHash(parameters, randomBytes(16), randomBytes(32))
  let total = 0

  async function inTurn<T> (work: () => Promise<T>, { isDear = false } = {}): Promise<T> {
    const run = async (): Promise<T> => await bulkhead.run(async () => {
      total++
      return await work()
    })
    try {
      return await (isDear ? dear.run(run) : run())
    } catch (error) {
      if (!(error instanceof BulkheadRejectedError)) throw error
      throw new CodedError('OVERLOADED', 'Too many passwords are being checked at this moment; try again shortly.', { retryAfterSeconds, cause: error })
    }
  }

  function needsRehash (hash: string): boolean {
    const parsed = parseHash(hash)
    return parsed?.algorithm !== 'argon2id' ||
      parsed.memoryKib !== parameters.memoryKib ||
      parsed.timeCost !== parameters.timeCost ||
      parsed.parallelism !== parameters.parallelism
  }

  /** Of another system, or of more work than a current one. */
  function isDear (hash: string): boolean {
    const parsed = parseHash(hash)
    return parsed === undefined || parsed.memoryKib * parsed.timeCost > parameters.memoryKib * parameters.timeCost
  }

  return {
    engineName: engine.name,
    hash: password => inTurn(() => engine.hash(password.normalize('NFC'), parameters)),
    async verify (hash, password) {
      const verifier = typeof hash === 'string' ? verifierOf(hash, engine, !needsRehash(hash)) : undefined
      if (typeof hash === 'string' && verifier !== undefined) return await inTurn(() => verifier(password), { isDear: isDear(hash) })
      await inTurn(() => engine.verify(decoy, password.normalize('NFC')))
      return false
    },
    needsRehash,
    stats: () => ({ ...bulkhead.stats(), queued: bulkhead.stats().queued + dear.stats().queued, total })
  }
}

import { createHash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { CodedError } from '../errors.ts'
import { UnusableAnswerError } from '../read-text.ts'
import { createRangeReader, parseRange } from './breach-ranges.ts'

/** Whether a password is known from a breach; false, too, where nobody can be asked. Never throws. */
export type IsBreached = (password: string) => Promise<boolean>

export interface BreachCheckOptions {
  /** Milliseconds that a look-up may take. */
  breachTimeoutMs?: number
  /** Bytes that one range may have. */
  breachMaxRangeBytes?: number
  /** Ranges that are remembered. */
  breachCachedRanges?: number
  /** Seconds for which a range is remembered. */
  breachCacheSeconds?: number
}

/** A range of today has about 80 KB. */
export const breachDefaults = { breachTimeoutMs: 1000, breachMaxRangeBytes: 1_048_576, breachCachedRanges: 64, breachCacheSeconds: 3600 }

export interface BreachCheckSurroundings {
  /** Runs each call: a circuit breaker. */
  guard?: <T>(call: () => Promise<T>) => Promise<T>
  /** Told when a password had to be accepted unasked. The reason names neither the password nor a part of its hash. */
  onUnasked?: (reason: string) => void
}

const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined

/** What went wrong, without the message: those of Node.js repeat paths, and a path ends in the prefix of the hash. */
function reasonOf (error: unknown): string {
  if (error instanceof UnusableAnswerError) return error.message
  if (error instanceof CodedError) return 'the circuit breaker is open'
  if (!(error instanceof Error)) return 'unknown'
  return codeOf(error.cause) ?? codeOf(error) ?? error.name
}

/**
 * Asks by k-anonymity: only the first five of the forty hex digits of the SHA-1 leave the process, and the answer is all
 * the hashes that begin so. `url` is a range API, or a folder of its ranges as `file:` URL.
 *
 * @throws TypeError for a `url` that is none.
 */
export function createBreachCheck (url: string, options: BreachCheckOptions, { guard = async call => await call(), onUnasked }: BreachCheckSurroundings): IsBreached {
  const { breachTimeoutMs, breachMaxRangeBytes, breachCachedRanges, breachCacheSeconds } = { ...breachDefaults, ...options }
  const read = createRangeReader(url, breachMaxRangeBytes)
  const ranges = new LRUCache<string, string>({ max: breachCachedRanges, ttl: breachCacheSeconds * 1000 })

  async function readInTime (prefix: string): Promise<string> {
    const controller = new AbortController()
    const timer = setTimeout(() => { controller.abort(new UnusableAnswerError(`no answer within ${breachTimeoutMs} ms`)) }, breachTimeoutMs)
    try {
      return parseRange(await read(prefix, controller.signal))
    } finally {
      clearTimeout(timer)
      // Whatever of the answer was not read is not waited for.
      controller.abort()
    }
  }

  async function rangeOf (prefix: string): Promise<string> {
    const known = ranges.get(prefix)
    if (known !== undefined) return known
    const range = await guard(async () => await readInTime(prefix))
    ranges.set(prefix, range)
    return range
  }

  return async password => {
    const hash = createHash('sha1').update(password, 'utf8').digest('hex').toUpperCase()
    try {
      return (await rangeOf(hash.slice(0, 5))).includes(`\n${hash.slice(5)}\n`)
    } catch (error) {
      onUnasked?.(reasonOf(error))
      return false
    }
  }
}

import { timeout, TimeoutStrategy } from 'cockatiel'
import { createBulkhead } from '../bulkhead.ts'
import { CodedError } from '../errors.ts'
import type { BreakerPolicy } from './policy.ts'

/** A call to a dependency. `signal` is aborted when the call has taken too long. */
export type GuardedCall<T> = (context: { signal: AbortSignal }) => Promise<T>

/**
 * How long a call may take, around how many may run at once. A slot of the bulkhead is held for as long as the call
 * runs, also when nobody waits for it any more.
 *
 * @throws CodedError OVERLOADED beyond the bulkhead, after telling `onShed`; cockatiel's TaskCancelledError for a call
 * that takes too long.
 */
export function createBounds ({ timeoutMs, concurrency, queue }: BreakerPolicy, onShed: () => void): <T>(call: GuardedCall<T>) => Promise<T> {
  const limit = timeoutMs === 0 ? undefined : timeout(timeoutMs, { strategy: TimeoutStrategy.Aggressive, abortOnReturn: false })
  const bulkhead = concurrency === undefined ? undefined : createBulkhead({ concurrency, queue })

  async function inTurn<T> (call: () => Promise<T>): Promise<T> {
    if (bulkhead === undefined) return await call()
    let started = false
    try {
      return await bulkhead.run(async () => {
        started = true
        return await call()
      })
    } catch (error) {
      if (started) throw error
      onShed()
      throw new CodedError('OVERLOADED', 'Too much is under way at this moment; try again shortly.', { retryAfterSeconds: 1, cause: error })
    }
  }

  return async call => {
    // A signal for each call: the listeners of many calls on a shared one would make Node warn of a leak.
    if (limit === undefined) return await inTurn(async () => await call({ signal: new AbortController().signal }))
    return await limit.execute(async ({ signal }) => await inTurn(async () => {
      signal.throwIfAborted()
      return await call({ signal })
    }))
  }
}

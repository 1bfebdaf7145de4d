import { circuitBreaker, CircuitState, ConsecutiveBreaker, ExponentialBackoff, handleWhenResult, retry, TaskCancelledError } from 'cockatiel'
import { CodedError } from '../errors.ts'
import type { BreakerState } from '../schemas/breaker.ts'
import { createBounds, type GuardedCall } from './bounds.ts'
import { judgeByDefault, type BreakerPolicy, type Verdict } from './policy.ts'
import { createResponseTimes } from './response-times.ts'

export interface CallOptions {
  /** Running it twice does what running it once does: it may be retried. */
  idempotent?: boolean
}

/** What the state of a breaker changed from and to. */
export interface Transition { breaker: string, from: BreakerState['state'], to: BreakerState['state'] }

export interface Breaker {
  /**
   * Answers what `call` answers and throws what it throws. Where it was not called, or took too long, it throws
   * CodedError SERVICE_UNAVAILABLE; beyond the bulkhead OVERLOADED.
   */
  run<T>(call: GuardedCall<T>, options?: CallOptions): Promise<T>
  state(): BreakerState
}

type Outcome<T> = { value: T } | { error: unknown, failed: boolean }

const stateNames = {
  [CircuitState.Closed]: 'closed',
  [CircuitState.Open]: 'open',
  [CircuitState.HalfOpen]: 'halfOpen',
  [CircuitState.Isolated]: 'open'
} as const

const isFailure = (outcome: unknown): boolean =>
  typeof outcome === 'object' && outcome !== null && 'failed' in outcome && outcome.failed === true

const iso = (time: number | null): string | null => time === null ? null : new Date(time).toISOString()

const unavailable = (retryAfterSeconds: number, cause?: unknown): CodedError =>
  new CodedError('SERVICE_UNAVAILABLE', 'A service that this one depends on does not answer; try again.', { retryAfterSeconds, cause })

/** The guard of one dependency: retry around breaker around timeout around bulkhead. */
export function createBreaker (name: string, policy: BreakerPolicy, onTransition: (transition: Transition) => void): Breaker {
  const { threshold, resetMs, retries, retryDelayMs, judge = judgeByDefault } = policy
  const failures = handleWhenResult(isFailure)
  const circuit = circuitBreaker(failures, { halfOpenAfter: resetMs, breaker: new ConsecutiveBreaker(threshold) })
  const retrying = retry(failures, { maxAttempts: retries, backoff: new ExponentialBackoff({ initialDelay: retryDelayMs }) })
  const times = createResponseTimes()
  const counts = { failureCount: 0, successCount: 0, rejectedCount: 0 }
  const bounded = createBounds(policy, () => { counts.rejectedCount++ })
  let state: BreakerState['state'] = 'closed'
  let lastFailureAt: number | null = null
  let openedAt: number | null = null
  let retryAt = 0
  let openings = 0

  circuit.onStateChange(next => {
    const from = state
    state = stateNames[next]
    if (state === 'open') {
      openings++
      openedAt ??= Date.now()
      retryAt = Date.now() + resetMs
    } else if (state === 'closed') openedAt = null
    onTransition({ breaker: name, from, to: state })
  })

  function refusal (): CodedError {
    counts.rejectedCount++
    return unavailable(Math.max(1, Math.ceil((retryAt - Date.now()) / 1000)))
  }

  function verdictOf (error: unknown): Verdict {
    if (error instanceof TaskCancelledError) return 'failure'
    return error instanceof CodedError && error.code === 'OVERLOADED' ? 'unknown' : judge(error)
  }

  async function attempt<T> (call: GuardedCall<T>, countsNow: (verdict: Verdict) => boolean): Promise<Outcome<T>> {
    const start = performance.now()
    const took = (): void => times.add(performance.now() - start)
    try {
      const value = await bounded(call)
      counts.successCount++
      took()
      return { value }
    } catch (thrown) {
      const verdict = verdictOf(thrown)
      const error = thrown instanceof TaskCancelledError ? unavailable(1, thrown) : thrown
      if (verdict !== 'unknown') took()
      if (verdict === 'answer') {
        counts.successCount++
        return { error, failed: false }
      }
      if (verdict === 'failure') {
        counts.failureCount++
        lastFailureAt = Date.now()
      }
      if (countsNow(verdict)) return { error, failed: true }
      // What is thrown here leaves the breaker as it is.
      throw error
    }
  }

  async function once<T> (call: GuardedCall<T>): Promise<Outcome<T>> {
    // cockatiel would make everybody wait for the probe.
    if (circuit.state === CircuitState.HalfOpen) throw refusal()
    const probing = circuit.state === CircuitState.Open
    const begun = openings
    let tried = false
    try {
      return await circuit.execute(async () => {
        tried = true
        // A probe that shows nothing has not shown that the dependency is back. Otherwise what counts is what began
        // since the breaker last opened: a call that was under way then must not open it again when it fails at last.
        return await attempt(call, verdict => probing || (verdict === 'failure' && begun === openings))
      })
    } catch (error) {
      throw tried ? error : refusal()
    }
  }

  return {
    async run (call, { idempotent = false } = {}) {
      const outcome = idempotent && retries > 0 ? await retrying.execute(async () => await once(call)) : await once(call)
      if ('error' in outcome) throw outcome.error
      return outcome.value
    },
    state: () => ({ name, state, ...counts, lastFailureAt: iso(lastFailureAt), openedAt: iso(openedAt), responseTimeMs: times.summary() })
  }
}

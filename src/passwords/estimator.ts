import { BulkheadRejectedError, createBulkhead } from '../bulkhead.ts'
import { CodedError } from '../errors.ts'
import { estimation, type Estimation, type EstimationQuestion } from './estimation.ts'
import { startThread, type JudgingThread } from './start-thread.ts'

export interface EstimatorOptions {
  /** Passwords that may wait for their turn; beyond it callers get OVERLOADED. */
  queue?: number
  /** Milliseconds that one estimate may take, the start of the thread included. */
  timeoutMs?: number
  /** Milliseconds without a question after which the thread ends, and its memory is free again. */
  idleMs?: number
}

export const estimatorDefaults = { queue: 256, timeoutMs: 10_000, idleMs: 60_000 }

/**
 * Estimates how hard passwords are to guess, one at a time, in a thread of its own that is started when there is
 * something to do: word lists and estimates cost memory and time that the event loop and an idle service must not pay.
 */
export interface Estimator {
  /** @throws CodedError OVERLOADED when too many wait, SERVICE_UNAVAILABLE when the thread fails or takes too long. */
  estimate(question: EstimationQuestion): Promise<Estimation>
  /** Ends the thread. */
  close(): Promise<void>
}

const beginning = (text: string): string => [...text.slice(0, 2 * estimation.length)].slice(0, estimation.length).join('')

export function createEstimator ({ queue, timeoutMs, idleMs }: Required<EstimatorOptions> = estimatorDefaults): Estimator {
  const turns = createBulkhead({ concurrency: 1, queue })
  let running: JudgingThread | undefined
  let idle: NodeJS.Timeout | undefined

  function start (): JudgingThread {
    const thread = startThread(() => { if (running === thread) running = undefined })
    return thread
  }

  async function stop (): Promise<void> {
    clearTimeout(idle)
    const thread = running
    running = undefined
    await thread?.end()
  }

  async function ask (question: EstimationQuestion): Promise<Estimation> {
    clearTimeout(idle)
    try {
      running ??= start()
      return await running.ask(question, timeoutMs)
    } catch (cause) {
      await stop()
      throw new CodedError('SERVICE_UNAVAILABLE', 'The strength of the password cannot be judged at this moment; try again.', { retryAfterSeconds: 1, cause })
    } finally {
      idle = setTimeout(() => { stop().catch(() => {}) }, idleMs).unref()
    }
  }

  return {
    async estimate ({ password, words }) {
      try {
        return await turns.run(async () => await ask({ password: beginning(password), words }))
      } catch (error) {
        if (!(error instanceof BulkheadRejectedError)) throw error
        throw new CodedError('OVERLOADED', 'Too many passwords are being judged at this moment; try again shortly.', { retryAfterSeconds: 1, cause: error })
      }
    },
    close: stop
  }
}

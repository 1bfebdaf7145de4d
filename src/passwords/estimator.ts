import { once } from 'node:events'
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import { BulkheadRejectedError, createBulkhead } from '../bulkhead.ts'
import { CodedError } from '../errors.ts'
import { estimation, type Estimation, type EstimationQuestion } from './estimation.ts'

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

const extension = extname(import.meta.url)
const threadFile = new URL(`./estimator-thread${extension}`, import.meta.url)

/** What the process preloads (instrumentation, say) is not for this thread; only sources need what loads them. */
const execArgv = extension === '.ts' ? process.execArgv : []

/** Several times what the lists need: a thread that wants more is ended rather than the process. */
const resourceLimits = { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 8 }

const isEstimation = (value: unknown): value is Estimation =>
  typeof value === 'object' && value !== null &&
  'common' in value && typeof value.common === 'boolean' &&
  'score' in value && typeof value.score === 'number' &&
  'advice' in value && Array.isArray(value.advice)

const beginning = (text: string): string => [...text.slice(0, 2 * estimation.length)].slice(0, estimation.length).join('')

export function createEstimator ({ queue, timeoutMs, idleMs }: Required<EstimatorOptions> = estimatorDefaults): Estimator {
  const turns = createBulkhead({ concurrency: 1, queue })
  let running: Worker | undefined
  let idle: NodeJS.Timeout | undefined

  function start (): Worker {
    const thread = new Worker(threadFile, { name: 'auth-serve-estimator', execArgv, resourceLimits })
    const forget = (): void => { if (running === thread) running = undefined }
    // Whoever waits for an answer hears of an error too.
    thread.on('error', forget).on('exit', forget)
    return thread
  }

  async function stop (): Promise<void> {
    clearTimeout(idle)
    const thread = running
    running = undefined
    await thread?.terminate()
  }

  async function answerOf (thread: Worker): Promise<Estimation> {
    const given = new AbortController()
    const giveUp = (reason: string) => () => { given.abort(new Error(reason)) }
    const timer = setTimeout(giveUp(`no estimate within ${timeoutMs} ms`), timeoutMs)
    const ended = giveUp('the thread ended')
    thread.once('exit', ended)
    try {
      const [answer]: unknown[] = await once(thread, 'message', { signal: given.signal })
      if (!isEstimation(answer)) throw new TypeError('the thread answered something else')
      return answer
    } finally {
      clearTimeout(timer)
      thread.off('exit', ended)
    }
  }

  async function ask (question: EstimationQuestion): Promise<Estimation> {
    clearTimeout(idle)
    try {
      running ??= start()
      const thread = running
      thread.ref()
      const answer = answerOf(thread)
      thread.postMessage(question)
      const given = await answer
      // A thread without work keeps no process alive.
      thread.unref()
      return given
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

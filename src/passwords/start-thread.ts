import { once } from 'node:events'
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { Estimation, EstimationQuestion } from './estimation.ts'

/** What judges passwords, one after another. */
export interface JudgingThread {
  /** Rejects when the thread fails, has ended, or takes longer than `timeoutMs`. */
  ask(question: EstimationQuestion, timeoutMs: number): Promise<Estimation>
  end(): Promise<void>
}

const extension = extname(import.meta.url)

/** Several times what the lists need: a thread that wants more is ended rather than the process. */
const resourceLimits = { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 8 }

const isEstimation = (value: unknown): value is Estimation =>
  typeof value === 'object' && value !== null &&
  'common' in value && typeof value.common === 'boolean' &&
  'score' in value && typeof value.score === 'number' &&
  'advice' in value && Array.isArray(value.advice)

/** In development: what lets Node.js 20 run TypeScript does not reach its threads. */
const withoutThread: JudgingThread = {
  ask: async question => (await import('./judge.ts')).judge(question),
  end: async () => {}
}

/** Starts a thread, which keeps the process alive only while it is asked. `onEnd` hears of its end, however it comes. */
export function startThread (onEnd: () => void): JudgingThread {
  if (extension === '.ts') return withoutThread
  // What the process preloads, instrumentation say, is not for this thread.
  const thread = new Worker(new URL('./estimator-thread.js', import.meta.url), { name: 'auth-serve-estimator', execArgv: [], resourceLimits })
  // Whoever waits for an answer hears of an error, too.
  thread.on('error', onEnd).on('exit', onEnd)
  thread.unref()

  return {
    async ask (question, timeoutMs) {
      const given = new AbortController()
      const giveUp = (reason: string) => () => { given.abort(new Error(reason)) }
      const ended = giveUp('the thread ended')
      const timer = setTimeout(giveUp(`no estimate within ${timeoutMs} ms`), timeoutMs)
      thread.once('exit', ended).ref()
      try {
        const answered = once(thread, 'message', { signal: given.signal })
        thread.postMessage(question)
        const [answer]: unknown[] = await answered
        if (!isEstimation(answer)) throw new TypeError('the thread answered something else')
        return answer
      } finally {
        clearTimeout(timer)
        thread.off('exit', ended).unref()
      }
    },
    async end () { await thread.terminate() }
  }
}

import { createEstimator, type Estimator } from './estimator.ts'

/** Milliseconds for which the thread waits, after the last service of the process is gone, for another one. */
const lingerMs = 5000

let shared: Estimator | undefined
let users = 0
let lingering: NodeJS.Timeout | undefined

/** The estimator of this process: services that live in one have one thread, and one copy of the word lists. */
export function shareEstimator (): Estimator {
  const estimator = shared ??= createEstimator()
  users++
  clearTimeout(lingering)
  let closed = false
  return {
    estimate: estimator.estimate,
    async close () {
      if (closed) return
      closed = true
      if (--users > 0) return
      lingering = setTimeout(() => {
        shared = undefined
        estimator.close().catch(() => {})
      }, lingerMs).unref()
    }
  }
}

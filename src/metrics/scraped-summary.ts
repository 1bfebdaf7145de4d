import { setTimeout as delay } from 'node:timers/promises'

/** Milliseconds that a scrape waits for the database. */
const patienceMs = 1000

/** Asks once for all metrics that want to know in the same scrape; rejects where the answer takes too long. */
export function createScrapedSummary<T> (read: () => Promise<T>): () => Promise<T> {
  let asking: Promise<T> | undefined
  async function askInTime (): Promise<T> {
    const waiting = new AbortController()
    const late = delay(patienceMs, undefined, { signal: waiting.signal }).then(() => { throw new Error('the database took too long') })
    try {
      return await Promise.race([read(), late])
    } finally {
      waiting.abort()
      late.catch(() => {})
    }
  }
  return async () => await (asking ??= askInTime().finally(() => { asking = undefined }))
}

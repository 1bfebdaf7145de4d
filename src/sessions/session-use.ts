import type { SessionUse as Use } from '../db/session-upkeep.ts'
import type { SessionStore } from '../db/sessions.ts'
import type { DatabaseClock } from '../keys/database-clock.ts'

export interface SessionUseOptions {
  store: Pick<SessionStore, 'noteUses'>
  clock: Pick<DatabaseClock, 'now'>
  /** Milliseconds between two writings. */
  flushMs: number
  /** Sessions that are remembered between two writings; the use of any other is not noted. */
  maxEntries: number
  log: { debug(details: object, message: string): void, warn(details: object, message: string): void }
}

/** Remembers when sessions were last used and writes it down from time to time, so that no request waits for that. */
export interface SessionUse {
  /** An access token of this session was used just now. */
  note(sessionId: string): void
  /** Writes down what is remembered; never throws. */
  flush(): Promise<void>
  /** Writes it down a last time. */
  close(): Promise<void>
}

/** Sessions of one statement. */
const batchSize = 1000

export function startSessionUse ({ store, clock, flushMs, maxEntries, log }: SessionUseOptions): SessionUse {
  /** Milliseconds since the epoch, by the database's clock. */
  const usedAt = new Map<string, number>()
  let flushing: Promise<void> | undefined
  let complained = false

  function remember (sessionId: string, time: number): void {
    if (usedAt.has(sessionId) || usedAt.size < maxEntries) usedAt.set(sessionId, time)
  }

  function takeBatch (): Use[] {
    const batch: Use[] = []
    for (const [sessionId, time] of usedAt) {
      if (batch.length === batchSize) break
      batch.push({ sessionId, usedAt: new Date(time) })
      usedAt.delete(sessionId)
    }
    return batch
  }

  async function writeAll (): Promise<void> {
    // What is noted meanwhile is for the next time.
    for (let left = usedAt.size; left > 0; left -= batchSize) {
      const batch = takeBatch()
      try {
        await store.noteUses(batch)
        complained = false
      } catch (error) {
        for (const { sessionId, usedAt: time } of batch) if (!usedAt.has(sessionId)) remember(sessionId, time.getTime())
        log[complained ? 'debug' : 'warn']({ err: error }, 'the last use of sessions could not be noted; trying again')
        complained = true
        return
      }
    }
  }

  async function flush (): Promise<void> {
    flushing ??= writeAll().finally(() => { flushing = undefined })
    await flushing
  }

  const timer = setInterval(() => { flush() }, flushMs).unref()
  return {
    note: sessionId => { remember(sessionId, clock.now()) },
    flush,
    async close () {
      clearInterval(timer)
      await flushing
      await flush()
    }
  }
}

import { setTimeout as delay } from 'node:timers/promises'

/** What a try showed of the way that every item goes: whether it is closed, and for how long nothing need be tried. */
export interface Standing { away: boolean, pauseSeconds?: number }

export interface LeasingWorkerOptions<Item, Outcome> {
  /** What is worked on, for the log: "outbox". */
  name: string
  /** Takes so many items at most, for longer than any try. Throws what the database throws. */
  lease: (limit: number) => Promise<Item[]>
  giveBack: (item: Item) => Promise<unknown>
  /** Makes one try and settles it. Throws what the database throws; then the lease runs out by itself. */
  work: (item: Item) => Promise<Outcome>
  /** Items that are worked on at once. */
  concurrency: number
  /** Milliseconds between two looks while nothing was announced here. */
  pollMs: number
  isSchemaReady: () => boolean
  /** Where all items go one way: what a try showed of it; undefined for nothing. */
  judge?: (outcome: Outcome) => Standing | undefined
  /** Told when that way is open again. */
  onRecovered?: () => Promise<void>
  /** Told of each try; `known` where it was made to find out whether an outage is over. */
  onOutcome: (item: Item, outcome: Outcome, known: boolean) => void
  log: { debug(details: object, message: string): void, info(details: object, message: string): void, warn(details: object, message: string): void }
}

export interface LeasingWorker {
  /** There may soon be something to do: the transaction that ordered it may not be committed yet. */
  nudge(): void
  /** Whether the way failed and has not worked since. */
  isFailing(): boolean
  /** Takes no more; resolves once the tries under way are over, after this many milliseconds at the latest. */
  close(graceMs: number): Promise<void>
}

/** Milliseconds until the first look after a nudge; each look that finds nothing doubles them, up to `pollMs`. */
const nudgeMs = 15

/** Does what is owed in a table, in the background, this many items at once. Other workers may do the same. */
export function startLeasingWorker<Item, Outcome> ({ name, concurrency, pollMs, isSchemaReady, judge, onRecovered, log, ...options }: LeasingWorkerOptions<Item, Outcome>): LeasingWorker {
  const active = new Set<Promise<void>>()
  let closed = false
  let waitMs = pollMs
  let timer: NodeJS.Timeout | undefined
  let lookAt = 0
  let looking: Promise<void> | undefined
  /** Something changed since the look under way began. */
  let again = false
  /** Until then the way is known to be closed. */
  let pausedUntil = 0
  /** The way failed: until it works, one item at a time finds out. */
  let suspect = false
  let databaseFailing = false

  /** Looks in so many milliseconds, or sooner where that is planned: nudges without end must not put it off without end. */
  function schedule (milliseconds: number): void {
    if (closed) return
    if (looking !== undefined) {
      again = true
      return
    }
    const at = performance.now() + milliseconds
    if (timer !== undefined && lookAt <= at) return
    clearTimeout(timer)
    lookAt = at
    timer = setTimeout(() => {
      timer = undefined
      looking = look().finally(() => {
        looking = undefined
        schedule(again ? nudgeMs : waitMs)
        again = false
      })
    }, milliseconds).unref()
  }

  function note (outcome: Outcome): void {
    const { away = suspect, pauseSeconds = 0 } = judge?.(outcome) ?? {}
    suspect = away
    pausedUntil = Math.max(pausedUntil, performance.now() + pauseSeconds * 1000)
  }

  async function work (item: Item): Promise<void> {
    try {
      const outcome = await options.work(item)
      const known = suspect
      note(outcome)
      options.onOutcome(item, outcome, known)
      if (known && !suspect) await onRecovered?.()
    } catch (error) {
      // The lease runs out by itself.
      noteDatabase(error)
    }
  }

  function noteDatabase (error?: unknown): void {
    if (error === undefined) {
      if (databaseFailing) log.info({}, `the ${name} can be read again`)
      databaseFailing = false
      return
    }
    log[databaseFailing ? 'debug' : 'warn']({ err: error }, `the ${name} cannot be worked on; trying again`)
    databaseFailing = true
  }

  async function take (): Promise<number> {
    const free = suspect ? 1 - active.size : concurrency - active.size
    if (free < 1 || !isSchemaReady() || performance.now() < pausedUntil) return 0
    const items = await options.lease(free)
    noteDatabase()
    if (closed) {
      await Promise.all(items.map(options.giveBack))
      return 0
    }
    for (const item of items) {
      const running: Promise<void> = work(item).finally(() => {
        active.delete(running)
        schedule(0)
      })
      active.add(running)
    }
    return items.length
  }

  async function look (): Promise<void> {
    try {
      waitMs = await take() > 0 ? nudgeMs : Math.min(pollMs, waitMs * 2)
    } catch (error) {
      waitMs = pollMs
      noteDatabase(error)
    }
  }

  schedule(0)
  return {
    nudge () {
      waitMs = nudgeMs
      schedule(waitMs)
    },
    isFailing: () => suspect,
    async close (graceMs) {
      closed = true
      clearTimeout(timer)
      const waiting = new AbortController()
      const idle = async (): Promise<void> => {
        await looking
        await Promise.all(active)
      }
      await Promise.race([idle(), delay(graceMs, undefined, { signal: waiting.signal }).catch(() => {})])
      waiting.abort()
    }
  }
}

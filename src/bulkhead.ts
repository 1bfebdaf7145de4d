import { AsyncResource } from 'node:async_hooks'
import { bulkhead } from 'cockatiel'

/** Why a bulkhead refused work: no place was left to wait in, or the turn did not come in time. */
export type BulkheadRejection = 'full' | 'timeout'

/** Work that a bulkhead refused; its function was not called and never will be. */
export class BulkheadRejectedError extends Error {
  readonly reason: BulkheadRejection

  constructor (reason: BulkheadRejection) {
    super(reason === 'full' ? 'no place left to wait' : 'waited too long for a turn')
    this.name = 'BulkheadRejectedError'
    this.reason = reason
  }
}

export interface BulkheadOptions {
  /** How many functions run at once; at least 1. */
  concurrency: number
  /** How many may wait; 0 refuses whatever cannot start at once. */
  queue: number
  /** Milliseconds that one may wait; absent for no bound. */
  queueTimeoutMs?: number
}

export interface BulkheadStats { active: number, queued: number, concurrency: number, queue: number }

export interface Bulkhead {
  /**
   * Calls `fn` when its turn has come, first come first served, and answers what it answers. With a free slot the call
   * happens before `run` returns.
   *
   * @throws BulkheadRejectedError (as a rejection) when `fn` was not called.
   */
  run<T>(fn: () => Promise<T>): Promise<T>
  stats(): BulkheadStats
}

/**
 * Bounds how much of one kind of work is under way: `concurrency` at once, `queue` waiting, anything more refused.
 *
 * @throws RangeError for numbers that bound nothing.
 */
export function createBulkhead ({ concurrency, queue, queueTimeoutMs }: BulkheadOptions): Bulkhead {
  requireInteger('concurrency', concurrency, 1)
  requireInteger('queue', queue, 0)
  if (queueTimeoutMs !== undefined) requireInteger('queueTimeoutMs', queueTimeoutMs, 1)

  // cockatiel deals out the slots, but its queue holds our tickets and not the work: a ticket starts whoever waits
  // longest by then. Its own queue would drop a waiter to the end, or refuse it, when a newcomer slips in while a slot
  // changes hands, would keep the place of one that gave up, and stalls behind one that was aborted.
  const slots = bulkhead(concurrency, Infinity)
  const waiting = new Set<() => Promise<void>>()
  let tickets = 0
  let active = 0

  async function useTicket (): Promise<void> {
    tickets--
    const [start] = waiting
    await start?.()
  }

  async function work<T> (fn: () => Promise<T>): Promise<T> {
    active++
    try {
      return await fn()
    } finally {
      active--
    }
  }

  function wait<T> (fn: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      let timer: NodeJS.Timeout | undefined
      // Bound, since it is called by whoever frees the slot: traces and logs must follow the caller that waited.
      const start = AsyncResource.bind(async (): Promise<void> => {
        clearTimeout(timer)
        waiting.delete(start)
        await work(fn).then(resolve, reject)
      })
      const giveUp = (): void => {
        waiting.delete(start)
        reject(new BulkheadRejectedError('timeout'))
      }

      waiting.add(start)
      if (queueTimeoutMs !== undefined) timer = setTimeout(giveUp, queueTimeoutMs)
      // One that gave up left its ticket behind.
      if (tickets >= waiting.size) return
      tickets++
      slots.execute(useTicket)
    })
  }

  async function run<T> (fn: () => Promise<T>): Promise<T> {
    if (active + waiting.size >= concurrency + queue) throw new BulkheadRejectedError('full')
    const free = tickets === 0 && slots.executionSlots > 0
    return await (free ? slots.execute(() => work(fn)) : wait(fn))
  }

  return { run, stats: () => ({ active, queued: waiting.size, concurrency, queue }) }
}

function requireInteger (name: string, value: number, minimum: number): void {
  if (!Number.isSafeInteger(value) || value < minimum) throw new RangeError(`${name} must be an integer of at least ${minimum}`)
}

import { setTimeout as delay } from 'node:timers/promises'
import type { LeasedMail, OutboxStore } from '../db/outbox.ts'
import type { Deliver, Delivery } from './deliver.ts'
import { outageCapSeconds } from './retry-delay.ts'

export interface MailWorkerOptions {
  outbox: OutboxStore
  deliver: Deliver
  /** Mails that are sent at once. */
  concurrency: number
  /** Milliseconds between two looks into the outbox while nothing was ordered here. */
  pollMs: number
  /** Seconds after which others may take a mail that this worker took; longer than any try. */
  leaseSeconds: number
  isSchemaReady: () => boolean
  /** Told of each try; `known` where it was made to find out whether an outage is over. */
  onDelivery: (order: LeasedMail, delivery: Delivery, known: boolean) => void
  log: { debug(details: object, message: string): void, info(details: object, message: string): void, warn(details: object, message: string): void }
}

export interface MailWorker {
  /** There may soon be something to send: the transaction of the order may not be committed yet. */
  nudge(): void
  /** Whether the transport failed and has not worked since. */
  isFailing(): boolean
  /** Takes no more mails; resolves once the tries under way are over, after this many milliseconds at the latest. */
  close(graceMs: number): Promise<void>
}

/** Milliseconds until the first look after an order; each look that finds nothing doubles them, up to `pollMs`. */
const nudgeMs = 15

/** What is brought forward once the transport works again: the rest comes within the longest wait after an outage. */
const afterOutage = { withinSeconds: outageCapSeconds, spreadSeconds: 2, limit: 1000 }

/** Sends what is in the outbox, in the background, this many mails at once. Other workers may do the same. */
export function startMailWorker ({ outbox, deliver, concurrency, pollMs, leaseSeconds, isSchemaReady, onDelivery, log }: MailWorkerOptions): MailWorker {
  const active = new Set<Promise<void>>()
  let closed = false
  let waitMs = pollMs
  let timer: NodeJS.Timeout | undefined
  let lookAt = 0
  let looking: Promise<void> | undefined
  /** Something changed since the look under way began. */
  let again = false
  /** Until then the transport is known to be away. */
  let pausedUntil = 0
  /** The transport failed: until it works, one mail at a time finds out. */
  let suspect = false
  let databaseFailing = false

  /** Looks in so many milliseconds, or sooner where that is planned: orders without end must not put it off without end. */
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

  function note (delivery: Delivery): void {
    if (delivery.outcome === 'unavailable') {
      pausedUntil = Math.max(pausedUntil, performance.now() + delivery.retryAfterSeconds * 1000)
      suspect = true
    } else if ('kind' in delivery) suspect = delivery.kind === 'outage'
    else if (delivery.outcome === 'sent') suspect = false
  }

  async function work (order: LeasedMail): Promise<void> {
    try {
      const delivery = await deliver(order)
      const known = suspect
      note(delivery)
      onDelivery(order, delivery, known)
      if (known && !suspect) await outbox.hasten(afterOutage)
    } catch (error) {
      // The lease runs out by itself.
      noteDatabase(error)
    }
  }

  function noteDatabase (error?: unknown): void {
    if (error === undefined) {
      if (databaseFailing) log.info({}, 'the outbox can be read again')
      databaseFailing = false
      return
    }
    log[databaseFailing ? 'debug' : 'warn']({ err: error }, 'the outbox cannot be worked on; trying again')
    databaseFailing = true
  }

  async function take (): Promise<number> {
    const free = suspect ? 1 - active.size : concurrency - active.size
    if (free < 1 || !isSchemaReady() || performance.now() < pausedUntil) return 0
    const orders = await outbox.lease(free, leaseSeconds)
    noteDatabase()
    if (closed) {
      await Promise.all(orders.map(async order => await outbox.giveBack(order)))
      return 0
    }
    for (const order of orders) {
      const running: Promise<void> = work(order).finally(() => {
        active.delete(running)
        schedule(0)
      })
      active.add(running)
    }
    return orders.length
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

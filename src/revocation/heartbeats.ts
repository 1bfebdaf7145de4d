import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { linkAbort } from '../linked-abort.ts'

/** The listening connection is there and hears nothing. */
export class DeafError extends Error {}

export interface HeartbeatOptions {
  /** Sends a heartbeat to every instance. */
  send: (nonce: string) => Promise<void>
  /** Milliseconds that one may take to come back once it was sent. */
  patienceMs: number
}

/** Messages to oneself, by which an instance learns that it hears. */
export interface Heartbeats {
  /**
   * Sends one and waits for it. Answers the monotonic moment, in milliseconds, before which everything that was committed
   * has been heard. Throws DeafError where it does not come back, what sending it throws, and AbortError once `signal` aborts.
   */
  beat(signal: AbortSignal): Promise<number>
  /** One of somebody's came back. */
  hear(nonce: string): void
}

export function createHeartbeats ({ send, patienceMs }: HeartbeatOptions): Heartbeats {
  const awaited = new Map<string, () => void>()
  return {
    async beat (signal) {
      const nonce = randomUUID()
      const heard = new Promise<boolean>(resolve => awaited.set(nonce, () => { resolve(true) }))
      const wait = linkAbort(signal)
      const sentAt = performance.now()
      try {
        // A database that answers nothing must not hold up who wants to stop.
        await Promise.race([send(nonce), once(wait.signal, 'abort')])
        signal.throwIfAborted()
        if (await Promise.race([heard, delay(patienceMs, false, { signal: wait.signal, ref: false })])) return sentAt
        throw new DeafError('a heartbeat did not come back on the listening connection')
      } finally {
        awaited.delete(nonce)
        wait.release()
        wait.abort()
      }
    },
    hear: nonce => { awaited.get(nonce)?.() }
  }
}

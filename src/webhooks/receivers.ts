import type { Guard } from '../breakers/breakers.ts'

/** What this process knows of one receiver. */
export interface Receiver {
  guard: Guard
  /** Deliveries under way. */
  active: number
  /** Until then (performance.now) it is left alone. */
  pausedUntil: number
  /** Its breaker was open, and nothing was delivered since. */
  wasAway: boolean
}

export interface Receivers {
  get(webhookId: string): Receiver
  /** How many deliveries each takes up of the `share` that one may have. */
  load(share: number): Record<string, number>
  /** Those whose breaker was open, and to which nothing was delivered since. */
  away(): string[]
}

export interface ReceiversOptions {
  /** Gives a receiver its breaker. */
  guardOf: (webhookId: string) => Guard
  /** Drops it again. */
  forget: (webhookId: string) => void
  /** Receivers that are remembered; the one that was not heard of for longest is forgotten. */
  max: number
}

/** The receivers of this process, each behind a breaker of its own: one that is away stops no other. */
export function createReceivers ({ guardOf, forget, max }: ReceiversOptions): Receivers {
  const receivers = new Map<string, Receiver>()

  function makeRoom (): void {
    for (const [id, { active }] of receivers) {
      if (receivers.size < max) return
      if (active > 0) continue
      receivers.delete(id)
      forget(id)
    }
  }

  return {
    get (webhookId) {
      const known = receivers.get(webhookId)
      receivers.delete(webhookId)
      if (known === undefined) makeRoom()
      const receiver = known ?? { guard: guardOf(webhookId), active: 0, pausedUntil: 0, wasAway: false }
      receivers.set(webhookId, receiver)
      return receiver
    },
    load (share) {
      const now = performance.now()
      return Object.fromEntries([...receivers].flatMap(([id, { active, pausedUntil }]) => pausedUntil > now ? [[id, share]] : active > 0 ? [[id, active]] : []))
    },
    away: () => [...receivers].flatMap(([id, { wasAway }]) => wasAway ? [id] : [])
  }
}

import { v7 as uuidv7 } from 'uuid'
import type { Database } from '../db/stores.ts'
import type { Audit, RequestContext, StoredEvent } from './audit.ts'

/** Somebody who is signed in asked for what their roles do not allow. */
export interface Refusal { actorId: string, sessionId: string, method: string, route: string }

export interface RefusalsOptions {
  database: Pick<Database, 'auditEvents'>
  audit: Pick<Audit, 'announce'>
  /** Events that may wait; what comes beyond is only in the log. */
  max: number
  /** Milliseconds after the first refusal in which those that are alike become one event. */
  delayMs: number
  log: { warn(details: object, message: string): void }
}

/** Keeps refusals for the trail. */
export interface Refusals {
  note(refusal: Refusal, context: RequestContext): void
  /** Writes what waits. Never throws: what could not be written is counted in the log. */
  flush(): Promise<void>
}

/**
 * Writes refusals into the trail without the request that was refused: nothing was changed, so the answer waits for no
 * row, and whoever asks over and over makes one event with a count. In an outage they are dropped with a line in the
 * log, where each refusal stands anyway.
 */
export function createRefusals ({ database, audit, max, delayMs, log }: RefusalsOptions): Refusals {
  const waiting = new Map<string, { event: StoredEvent, context: RequestContext, count: number }>()
  let timer: NodeJS.Timeout | undefined
  let dropped = 0

  async function flush (): Promise<void> {
    clearTimeout(timer)
    timer = undefined
    const refused = [...waiting.values()].map(({ event, context, count }) => ({ context, event: { ...event, details: { ...event.details, count } } }))
    waiting.clear()
    try {
      if (refused.length > 0) await database.auditEvents.append(refused.map(({ event, context }) => ({ ...event, ...context })))
      for (const { context, event } of refused) await audit.announce(context, [event])
    } catch (error) {
      log.warn({ err: error }, 'refusals could not be written to the audit trail')
      dropped += refused.length
    }
    if (dropped > 0) log.warn({ dropped }, 'refusals are not in the audit trail, only in the log')
    dropped = 0
  }

  return {
    flush,
    note ({ actorId, sessionId, method, route }, context) {
      const key = `${sessionId} ${method} ${route}`
      const known = waiting.get(key)
      if (known !== undefined) known.count++
      else if (waiting.size >= max) dropped++
      else waiting.set(key, { count: 1, context, event: { id: uuidv7(), type: 'authz_fail', outcome: 'failure', actorId, sessionId, details: { method, route } } })
      timer ??= setTimeout(flush, delayMs).unref()
    }
  }
}

import type { Database, Stores } from '../db/stores.ts'
import type { EventType } from '../schemas/event.ts'

export type { EventType }

export interface AuditEvent {
  type: EventType
  outcome: 'success' | 'failure'
  actorId?: string
  targetId?: string
  sessionId?: string
  /** Facts that help whoever reads the trail; never a secret. */
  details?: Record<string, unknown>
}

/** Where a request came from, as the trail keeps it. */
export interface RequestContext { requestId: string | null, ipAddress: string | null, userAgent: string | null }

export type RecordEvent = (event: AuditEvent) => void

export interface Audit {
  /** Runs `work` in a transaction and writes the events that it records in that transaction; they are logged once it has committed. */
  transaction<T>(context: RequestContext, work: (stores: Stores, record: RecordEvent) => Promise<T>): Promise<T>
  /** Writes events that accompany no change of data. */
  append(context: RequestContext, events: readonly AuditEvent[]): Promise<void>
}

/** Makes the audit trail; `log` is told of each event after it was stored. */
export function createAudit (database: Database, log: (event: AuditEvent, context: RequestContext) => void): Audit {
  return {
    async transaction (context, work) {
      const events: AuditEvent[] = []
      const result = await database.transaction(async stores => {
        const value = await work(stores, event => events.push(event))
        if (events.length > 0) await stores.auditEvents.append(events.map(event => ({ ...event, ...context })))
        return value
      })
      for (const event of events) log(event, context)
      return result
    },
    async append (context, events) {
      await database.auditEvents.append(events.map(event => ({ ...event, ...context })))
      for (const event of events) log(event, context)
    }
  }
}

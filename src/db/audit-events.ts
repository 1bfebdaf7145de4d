import { v7 as uuidv7 } from 'uuid'
import type { Run } from './pool.ts'
import { auditEvents } from './tables.ts'

export type NewAuditEvent = Omit<typeof auditEvents.$inferInsert, 'id' | 'occurredAt'>

export type AuditEventStore = ReturnType<typeof createAuditEventStore>

/** The audit trail. Rows are only ever added. */
export function createAuditEventStore (run: Run) {
  return {
    async append (events: readonly NewAuditEvent[]): Promise<void> {
      // The same statement whatever an event leaves out: nobody who measures it learns whom it is about.
      const rows = events.map(({ actorId = null, targetId = null, sessionId = null, details = {}, ...event }) =>
        ({ id: uuidv7(), ...event, actorId, targetId, sessionId, details }))
      await run(async orm => await orm.insert(auditEvents).values(rows))
    }
  }
}

import { v7 as uuidv7 } from 'uuid'
import type { Run } from './pool.ts'
import { auditEvents } from './tables.ts'

export type NewAuditEvent = Omit<typeof auditEvents.$inferInsert, 'id' | 'occurredAt'> & { id?: string }

export type AuditEventStore = ReturnType<typeof createAuditEventStore>

/** The audit trail. Rows are only ever added. */
export function createAuditEventStore (run: Run) {
  return {
    async append (events: readonly NewAuditEvent[]): Promise<void> {
      // The same statement whatever an event leaves out: nobody who measures it learns whom it is about.
      const rows = events.map(({ id = uuidv7(), actorId = null, targetId = null, sessionId = null, details = {}, ...event }) =>
        ({ ...event, id, actorId, targetId, sessionId, details }))
      await run(async orm => await orm.insert(auditEvents).values(rows))
    }
  }
}

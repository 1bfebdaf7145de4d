import { v7 as uuidv7 } from 'uuid'
import type { Orm } from './client.ts'
import { auditEvents } from './tables.ts'

export type NewAuditEvent = Omit<typeof auditEvents.$inferInsert, 'id' | 'occurredAt'>

export type AuditEventStore = ReturnType<typeof createAuditEventStore>

/** The audit trail. Rows are only ever added. */
export function createAuditEventStore (orm: Orm) {
  return {
    async append (events: readonly NewAuditEvent[]): Promise<void> {
      await orm.insert(auditEvents).values(events.map(event => ({ id: uuidv7(), ...event })))
    }
  }
}

import type { AuditEventRow } from '../db/audit-events.ts'
import type { Event } from '../schemas/event.ts'

/** An event as the API and the export write it. */
export function toEvent ({ occurredAt, ...row }: AuditEventRow): Event {
  return { ...row, occurredAt: occurredAt.toISOString() }
}

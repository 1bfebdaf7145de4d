import { and, asc, desc, eq, gte, lt, lte, sql } from 'drizzle-orm'
import { union } from 'drizzle-orm/pg-core'
import { v7 as uuidv7 } from 'uuid'
import type { Run } from './pool.ts'
import { auditEvents } from './tables.ts'

export type NewAuditEvent = Omit<typeof auditEvents.$inferInsert, 'id' | 'occurredAt'> & { id?: string }

export type AuditEventRow = typeof auditEvents.$inferSelect

/** Which events: of this person as actor or target, of this type, from `from` on and before `to`. */
export interface EventSelection { userId?: string | undefined, type?: string | undefined, from?: Date | undefined, to?: Date | undefined }

/** A place in the trail: that of the event after which the next page begins. */
export type EventPosition = Pick<AuditEventRow, 'occurredAt' | 'id'>

export type AuditEventStore = ReturnType<typeof createAuditEventStore>

/** The audit trail. Rows are only ever added. */
export function createAuditEventStore (run: Run) {
  return {
    async append (events: readonly NewAuditEvent[]): Promise<void> {
      // The same statement whatever an event leaves out, and however many they are: nobody who measures it learns whom it is about.
      const rows = JSON.stringify(events.map(({ id = uuidv7(), ...event }) => ({ ...event, id })))
      await run(async orm => await orm.execute(sql`
        insert into ${auditEvents} (id, type, outcome, actor_id, target_id, session_id, request_id, ip_address, user_agent, details)
        select id, type, outcome, "actorId", "targetId", "sessionId", "requestId", "ipAddress", "userAgent", coalesce(details, '{}')
        from jsonb_to_recordset(${rows}::jsonb) as event (id uuid, type text, outcome text, "actorId" uuid, "targetId" uuid, "sessionId" uuid, "requestId" text, "ipAddress" text, "userAgent" text, details jsonb)`))
    },

    /** Events from the one after `after` on. Those of a person are read from two indexes, each no further than the page goes. */
    async list ({ userId, type, from, to }: EventSelection, { after, limit, order }: { after: EventPosition | undefined, limit: number, order: 'newest' | 'oldest' }): Promise<AuditEventRow[]> {
      const [direction, beyond, onFrom] = order === 'newest' ? [desc, sql.raw('<'), lte] : [asc, sql.raw('>'), gte]
      const conditions = and(
        type === undefined ? undefined : eq(auditEvents.type, type),
        from === undefined ? undefined : gte(auditEvents.occurredAt, from),
        to === undefined ? undefined : lt(auditEvents.occurredAt, to),
        // Comparing rows says it all, but leaves out no partition.
        ...after === undefined
          ? []
          : [onFrom(auditEvents.occurredAt, after.occurredAt), sql`(${auditEvents.occurredAt}, ${auditEvents.id}) ${beyond} (${after.occurredAt.toISOString()}::timestamptz, ${after.id}::uuid)`]
      )
      const sorting = [direction(auditEvents.occurredAt), direction(auditEvents.id)]
      return await run(async orm => {
        const select = (whose = sql`true`) => orm.select().from(auditEvents).where(and(whose, conditions)).orderBy(...sorting).limit(limit)
        if (userId === undefined) return await select()
        return await union(select(eq(auditEvents.actorId, userId)), select(eq(auditEvents.targetId, userId))).orderBy(...sorting).limit(limit)
      })
    }
  }
}

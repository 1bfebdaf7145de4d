import { sql } from 'drizzle-orm'
import { bigint, index, jsonb, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core'
import { bytea, moment } from './columns.ts'

/**
 * What happened, written in the transaction of the change that it describes. The database refuses UPDATE, DELETE and
 * TRUNCATE. Partitioned by month of `occurredAt`: the function auth_serve_add_audit_partition makes a month, and
 * retention drops whole ones.
 */
export const auditEvents = pgTable('audit_events', {
  id: uuid().notNull(),
  type: text().notNull(),
  outcome: text({ enum: ['success', 'failure'] }).notNull(),
  occurredAt: moment('occurred_at').notNull().default(sql`now()`),
  actorId: uuid('actor_id'),
  targetId: uuid('target_id'),
  sessionId: uuid('session_id'),
  requestId: text('request_id'),
  ipAddress: text('ip_address'),
  userAgent: text('user_agent'),
  details: jsonb().$type<Record<string, unknown>>().notNull().default({})
}, table => [
  primaryKey({ columns: [table.occurredAt, table.id] }),
  index('audit_events_actor_id_idx').on(table.actorId, table.occurredAt, table.id),
  index('audit_events_target_id_idx').on(table.targetId, table.occurredAt, table.id),
  index('audit_events_type_idx').on(table.type, table.occurredAt, table.id)
])

/** Events that the sealer has not come to yet, written with them by a trigger. */
export const auditUnsealed = pgTable('audit_unsealed', {
  eventId: uuid('event_id').primaryKey(),
  occurredAt: moment('occurred_at').notNull()
})

/**
 * The chain of seals over the audit trail: each holds a MAC of every event of a batch of one month, and one over all that
 * and the MAC of the seal before, keyed from AUTH_SECRET. A seal of kind `retention` says that everything before `until`
 * was dropped. Append-only like the events.
 */
export const auditSeals = pgTable('audit_seals', {
  sequence: bigint({ mode: 'number' }).primaryKey(),
  kind: text({ enum: ['events', 'retention'] }).notNull(),
  sealedAt: moment('sealed_at').notNull().default(sql`now()`),
  eventIds: uuid('event_ids').array().notNull().default(sql`'{}'::uuid[]`),
  /** Of the batch: from its first event to its last; of a retention: null and the first moment that is kept. */
  since: moment('since'),
  until: moment('until').notNull(),
  /** 16 bytes for each of `eventIds`, in their order. */
  eventMacs: bytea('event_macs').notNull(),
  /** Which entry of AUTH_SECRET keys the MACs. */
  keyId: text('key_id').notNull(),
  mac: bytea().notNull()
}, table => [
  index('audit_seals_period_idx').using('gist', sql`tstzrange(${table.since}, ${table.until}, '[]')`).where(sql`kind = 'events'`)
])

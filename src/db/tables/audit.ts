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
 * The chain of seals over the audit trail: each holds the digest of a batch of events of one month, and a MAC, keyed from
 * AUTH_SECRET, over that and the seal before. A seal of kind `retention` says that everything before `until` was dropped.
 * Append-only like the events.
 */
export const auditSeals = pgTable('audit_seals', {
  sequence: bigint({ mode: 'number' }).primaryKey(),
  kind: text({ enum: ['events', 'retention'] }).notNull(),
  sealedAt: moment('sealed_at').notNull().default(sql`now()`),
  eventIds: uuid('event_ids').array().notNull().default(sql`'{}'::uuid[]`),
  /** Of the batch: from its first event to its last; of a retention: null and the first moment that is kept. */
  since: moment('since'),
  until: moment('until').notNull(),
  digest: bytea().notNull(),
  /** Which entry of AUTH_SECRET keys the MAC. */
  keyId: text('key_id').notNull(),
  mac: bytea().notNull()
})

import { sql } from 'drizzle-orm'
import { boolean, index, integer, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core'
import { moment } from './columns.ts'

/** Programs that are told of events. */
export const webhooks = pgTable('webhooks', {
  id: uuid().primaryKey(),
  url: text().notNull(),
  description: text(),
  /** Types of events that it is told of; none means every. */
  eventTypes: text('event_types').array().notNull().default(sql`'{}'::text[]`),
  /** The signing secret, sealed under a key derived from AUTH_SECRET. */
  secret: text().notNull(),
  /** The secret from before, which signs too until it is forgotten; sealed alike. */
  previousSecret: text('previous_secret'),
  previousSecretUntil: moment('previous_secret_until'),
  isActive: boolean('is_active').notNull().default(true),
  createdAt: moment('created_at').notNull().default(sql`now()`),
  updatedAt: moment('updated_at').notNull().default(sql`now()`)
})

/**
 * Events that a webhook is owed, written in the transaction of the event by a trigger on the trail. There is no foreign
 * key, as logins would all lock the row of the webhook. What they say is read from the trail when they are sent.
 */
export const webhookDeliveries = pgTable('webhook_deliveries', {
  eventId: uuid('event_id').notNull(),
  webhookId: uuid('webhook_id').notNull(),
  occurredAt: moment('occurred_at').notNull(),
  eventType: text('event_type').notNull(),
  status: text({ enum: ['pending', 'delivered', 'failed'] }).notNull().default('pending'),
  attempts: integer().notNull().default(0),
  /** When it is tried next; once it is over, when that was. */
  nextAttemptAt: moment('next_attempt_at').notNull().default(sql`now()`),
  /** From when the time for retries counts. */
  retriesSince: moment('retries_since').notNull().default(sql`now()`),
  leasedUntil: moment('leased_until'),
  /** What the receiver answered last. */
  lastStatus: integer('last_status'),
  lastError: text('last_error'),
  deliveredAt: moment('delivered_at')
}, table => [
  primaryKey({ columns: [table.eventId, table.webhookId] }),
  index('webhook_deliveries_pending_idx').on(table.webhookId, table.nextAttemptAt).where(sql`status = 'pending'`),
  index('webhook_deliveries_webhook_id_idx').on(table.webhookId, table.eventId),
  index('webhook_deliveries_over_idx').on(table.nextAttemptAt).where(sql`status <> 'pending'`)
])

import { sql } from 'drizzle-orm'
import { index, integer, jsonb, pgTable, text, uuid } from 'drizzle-orm/pg-core'
import { bytea, moment } from './columns.ts'
import { users } from './people.ts'

/** What a token that goes out by mail is for; each is also the name of the mail that brings it. */
export const actionPurposes = ['verify-email', 'reset-password', 'change-email', 'undo-email-change', 'invitation'] as const

/** Every kind of mail. */
export const mailTemplates = [...actionPurposes, 'already-registered', 'security-notice'] as const

/**
 * Tokens that go out by mail and let their holder do one thing once. Only the hash is stored. `email` is the canonical
 * address that the token was sent to, which its use proves.
 */
export const actionTokens = pgTable('action_tokens', {
  tokenHash: bytea('token_hash').primaryKey(),
  purpose: text({ enum: actionPurposes }).notNull(),
  userId: uuid('user_id').notNull().references(() => users.id, { onDelete: 'cascade' }),
  email: text().notNull(),
  /** What the use of the token brings into force, such as the password hash of a registration that waited for it. */
  data: jsonb().$type<Record<string, string>>().notNull().default({}),
  createdAt: moment('created_at').notNull().default(sql`now()`),
  expiresAt: moment('expires_at').notNull()
}, table => [
  index('action_tokens_user_id_purpose_idx').on(table.userId, table.purpose),
  index('action_tokens_expires_at_idx').on(table.expiresAt)
])

/**
 * Mails that are owed. A row is an order, written in the transaction that needs the mail: what is to be sent to whom. Whether
 * somebody of that address exists, and with which token, is found out when it is sent, so that an order costs the same
 * for known and unknown addresses and holds nothing that could be used. `sealed` is what must stay the same from one try
 * to the next, encrypted and wiped after sending.
 */
export const outbox = pgTable('outbox', {
  id: uuid().primaryKey(),
  template: text({ enum: mailTemplates }).notNull(),
  /** Whose account it is about; null where only the address is known. */
  userId: uuid('user_id'),
  /** Where it goes; null where nobody has the name that somebody gave: then nothing is sent. */
  recipient: text(),
  values: jsonb().$type<Record<string, string>>().notNull().default({}),
  status: text({ enum: ['pending', 'sent', 'failed'] }).notNull().default('pending'),
  attempts: integer().notNull().default(0),
  nextAttemptAt: moment('next_attempt_at').notNull().default(sql`now()`),
  /** Until then the worker that took it is at it. */
  leasedUntil: moment('leased_until'),
  sealed: text(),
  lastError: text('last_error'),
  createdAt: moment('created_at').notNull().default(sql`now()`),
  sentAt: moment('sent_at')
}, table => [
  index('outbox_pending_idx').on(table.nextAttemptAt).where(sql`status = 'pending'`),
  index('outbox_status_id_idx').on(table.status, table.id),
  index('outbox_user_id_idx').on(table.userId, table.id),
  index('outbox_recipient_idx').on(table.recipient, table.id)
])

/** Until when no further mail of a kind goes to an address; the key is an HMAC of both. */
export const mailCooldowns = pgTable('mail_cooldowns', {
  key: bytea().primaryKey(),
  until: moment('until').notNull()
}, table => [
  index('mail_cooldowns_until_idx').on(table.until)
])

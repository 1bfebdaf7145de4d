import { sql } from 'drizzle-orm'
import { index, integer, pgTable, text, timestamp, uuid } from 'drizzle-orm/pg-core'
import { bytea, moment } from './columns.ts'
import { users } from './people.ts'

/**
 * One login on one device. `accessUntil` is when the last access token issued for it expires. Refresh tokens have no
 * table: `refreshHashes` are of the secrets that its holders have (one, and one more for each
 * reauthentication), `refreshCounter` numbers the newest token, and `rotatedAt` says when those before it were replaced,
 * newest last.
 */
export const sessions = pgTable('sessions', {
  id: uuid().primaryKey(),
  userId: uuid('user_id').notNull().references(() => users.id, { onDelete: 'cascade' }),
  createdAt: moment('created_at').notNull().default(sql`now()`),
  authTime: moment('auth_time').notNull().default(sql`now()`),
  lastUsedAt: moment('last_used_at').notNull().default(sql`now()`),
  expiresAt: moment('expires_at').notNull(),
  idleExpiresAt: moment('idle_expires_at').notNull(),
  accessUntil: moment('access_until').notNull(),
  refreshHashes: bytea('refresh_hashes').array().notNull(),
  refreshCounter: integer('refresh_counter').notNull().default(0),
  rotatedAt: timestamp('rotated_at', { withTimezone: true, precision: 3 }).array().notNull().default(sql`'{}'::timestamptz[]`),
  revokedAt: moment('revoked_at'),
  ipAddress: text('ip_address'),
  userAgent: text('user_agent')
}, table => [
  index('sessions_user_id_id_idx').on(table.userId, table.id),
  index('sessions_idle_expires_at_idx').on(table.idleExpiresAt)
])

/**
 * Access tokens that must not be taken although they have not expired: those of a session that ended (`subjectId` is the
 * session), and those of a user that are older than a version of what they may do (`subjectId` is the user). Triggers on
 * sessions and users write the rows and tell every instance, so whatever changes those tables cannot forget to.
 */
export const revocations = pgTable('revocations', {
  subjectId: uuid('subject_id').primaryKey(),
  kind: text({ enum: ['session', 'user'] }).notNull(),
  /** Tokens of the user below this version are stale; null for a session. */
  authzVersion: integer('authz_version'),
  /** When the last token that this is about has expired, with a margin for clocks. */
  expiresAt: moment('expires_at').notNull()
}, table => [
  index('revocations_expires_at_idx').on(table.expiresAt)
])

/**
 * Keys that sign access tokens. `privateKey` is sealed under a key derived from AUTH_SECRET, and null once it is of no
 * more use. A key signs from `activatesAt` until `retiredAt`, when its successor does; `tokenTtlSeconds` is the longest
 * life of the tokens that it signed. A key that is managed outside has a row only to say that it was revoked.
 */
export const signingKeys = pgTable('signing_keys', {
  kid: text().primaryKey(),
  algorithm: text().notNull(),
  publicKey: text('public_key').notNull(),
  privateKey: text('private_key'),
  createdAt: moment('created_at').notNull().default(sql`now()`),
  activatesAt: moment('activates_at').notNull().default(sql`now()`),
  tokenTtlSeconds: integer('token_ttl_seconds').notNull().default(86_400),
  retiredAt: moment('retired_at'),
  revokedAt: moment('revoked_at')
})

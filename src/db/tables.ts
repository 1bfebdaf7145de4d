import { sql } from 'drizzle-orm'
import { boolean, customType, index, integer, jsonb, pgTable, text, timestamp, uniqueIndex, uuid } from 'drizzle-orm/pg-core'

/** What a token that goes out by mail is for; each is also the name of the mail that brings it. */
export const actionPurposes = ['verify-email', 'reset-password', 'change-email', 'undo-email-change', 'invitation'] as const

/** Every kind of mail. */
export const mailTemplates = [...actionPurposes, 'already-registered', 'security-notice'] as const

/** Milliseconds, as JavaScript dates have them, so that a time read and sent back compares equal. */
const moment = (name: string) => timestamp(name, { withTimezone: true, precision: 3, mode: 'date' })

const bytea = customType<{ data: Buffer }>({ dataType: () => 'bytea' })

/**
 * People. `credentialVersion` rises when what proves who they are changes (password, ban, deletion) and
 * `authzVersion` when what they may do changes: it is the `ver` claim of access tokens.
 */
export const users = pgTable('users', {
  id: uuid().primaryKey(),
  email: text().notNull(),
  emailCanonical: text('email_canonical').notNull(),
  username: text(),
  usernameCanonical: text('username_canonical'),
  firstName: text('first_name'),
  lastName: text('last_name'),
  passwordHash: text('password_hash'),
  roles: text().array().notNull().default(sql`'{user}'::text[]`),
  isActive: boolean('is_active').notNull().default(true),
  emailVerifiedAt: moment('email_verified_at'),
  lastLoginAt: moment('last_login_at'),
  /** Device tokens from before are of devices that are known no more: set when the account was recovered. */
  devicesKnownSince: moment('devices_known_since'),
  credentialVersion: integer('credential_version').notNull().default(1),
  authzVersion: integer('authz_version').notNull().default(1),
  createdAt: moment('created_at').notNull().default(sql`now()`),
  updatedAt: moment('updated_at').notNull().default(sql`now()`),
  deletedAt: moment('deleted_at')
}, table => [
  uniqueIndex('users_email_canonical_key').on(table.emailCanonical).where(sql`deleted_at is null`),
  uniqueIndex('users_username_canonical_key').on(table.usernameCanonical).where(sql`deleted_at is null`)
])

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

/** What happened, written in the transaction of the change that it describes. */
export const auditEvents = pgTable('audit_events', {
  id: uuid().primaryKey(),
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
  index('audit_events_actor_id_idx').on(table.actorId, table.id),
  index('audit_events_target_id_idx').on(table.targetId, table.id)
])

/**
 * Failed logins: in a row of an account, a device or session of it or an unknown identifier, and in a window of a client
 * address. The keys are HMACs, never what is counted.
 */
export const loginAttempts = pgTable('login_attempts', {
  key: bytea().primaryKey(),
  /** Key of the account, in the row of a device or session of it. */
  accountKey: bytea('account_key'),
  failures: integer().notNull(),
  lockedUntil: moment('locked_until'),
  /** The lock stands for attempts that are not judged yet. */
  pending: boolean().notNull().default(false),
  /** When the count starts again: never after the last failure of a login. */
  expiresAt: moment('expires_at').notNull()
}, table => [
  index('login_attempts_expires_at_idx').on(table.expiresAt),
  index('login_attempts_account_key_idx').on(table.accountKey).where(sql`account_key is not null`)
])

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

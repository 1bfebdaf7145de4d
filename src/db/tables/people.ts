import { sql } from 'drizzle-orm'
import { boolean, index, integer, pgTable, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core'
import { bytea, moment } from './columns.ts'

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
  uniqueIndex('users_username_canonical_key').on(table.usernameCanonical).where(sql`deleted_at is null`),
  index('users_created_at_id_idx').on(table.createdAt, table.id).where(sql`deleted_at is null`),
  index('users_last_login_at_id_idx').on(sql`coalesce(last_login_at, '-infinity')`, table.id).where(sql`deleted_at is null`)
])

/**
 * What people are found by, texts in lower case: a row for each who is not deleted, kept by a trigger on users. It is apart
 * from them so that a login, which writes to users, touches none of these indexes. Where the extension pg_trgm is there,
 * an index of trigrams stands beside those for prefixes: the migration makes `user_search_trigram_idx`.
 */
export const userSearch = pgTable('user_search', {
  userId: uuid('user_id').primaryKey().references(() => users.id, { onDelete: 'cascade' }),
  email: text().notNull(),
  username: text(),
  /** First and last name, a space between. */
  name: text(),
  lastName: text('last_name'),
  roles: text().array().notNull().default(sql`'{user}'::text[]`),
  isActive: boolean('is_active').notNull().default(true)
}, table => [
  index('user_search_email_idx').on(table.email.op('text_pattern_ops')),
  index('user_search_username_idx').on(table.username.op('text_pattern_ops')),
  index('user_search_name_idx').on(table.name.op('text_pattern_ops')),
  index('user_search_last_name_idx').on(table.lastName.op('text_pattern_ops')),
  // Only of those who stand out.
  index('user_search_roles_idx').using('gin', table.roles).where(sql`roles <> '{user}'::text[]`),
  index('user_search_disabled_idx').on(table.userId).where(sql`not is_active`)
])

/** How far an import of people has come, by the fingerprint of its file, so that it can go on where it stopped. */
export const userImports = pgTable('user_imports', {
  fingerprint: text().primaryKey(),
  /** Records of the file that are dealt with. */
  position: integer().notNull().default(0),
  created: integer().notNull().default(0),
  skipped: integer().notNull().default(0),
  refused: integer().notNull().default(0),
  startedAt: moment('started_at').notNull().default(sql`now()`),
  updatedAt: moment('updated_at').notNull().default(sql`now()`),
  finishedAt: moment('finished_at')
})

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

import { and, eq, sql } from 'drizzle-orm'
import type { Run } from './pool.ts'
import { createStatement } from './statement.ts'
import { userImports, users } from './tables.ts'

export type ImportProgress = typeof userImports.$inferSelect
export type ImportCounts = Pick<ImportProgress, 'position' | 'created' | 'skipped' | 'refused'>

/** A person of another system. Absent times are the moment at which they are stored. */
export type ImportedUser = Pick<typeof users.$inferSelect,
  'id' | 'email' | 'emailCanonical' | 'username' | 'usernameCanonical' | 'firstName' | 'lastName' | 'passwordHash' | 'roles' | 'isActive' | 'emailVerifiedAt' | 'lastLoginAt'> &
  { createdAt: Date | null, updatedAt: Date | null }

/** Which of the asked names and ids are in use. */
export interface NamesInUse { emails: Set<string>, usernames: Set<string>, ids: Set<string> }

// A text first: as a parameter of type jsonb the driver would write it as JSON once more.
const asked = (value: (name: 'emails' | 'usernames' | 'ids') => ReturnType<typeof sql>, name: 'emails' | 'usernames' | 'ids') =>
  sql`(select jsonb_array_elements_text(${value(name)}::text::jsonb))`

const selectInUse = createStatement<'emails' | 'usernames' | 'ids', { kind: 'email' | 'username' | 'id', name: string }>(value => sql`
  select 'email' as kind, email_canonical as name from users where email_canonical in ${asked(value, 'emails')} and deleted_at is null
  union all
  select 'username', username_canonical from users where username_canonical in ${asked(value, 'usernames')} and deleted_at is null
  union all
  select 'id', id::text from users where id in (select jsonb_array_elements_text(${value('ids')}::text::jsonb)::uuid)`)

/** One statement for a whole batch: a parameter for each value would take longer than the insertion. */
const insertAll = createStatement<'users', { id: string }>(value => sql`
  insert into users (id, email, email_canonical, username, username_canonical, first_name, last_name, password_hash, roles,
    is_active, email_verified_at, last_login_at, created_at, updated_at)
  select id, email, "emailCanonical", username, "usernameCanonical", "firstName", "lastName", "passwordHash", roles,
    "isActive", "emailVerifiedAt", "lastLoginAt", coalesce("createdAt", now()), coalesce("updatedAt", now())
  from jsonb_to_recordset(${value('users')}::text::jsonb) as given (id uuid, email text, "emailCanonical" text, username text,
    "usernameCanonical" text, "firstName" text, "lastName" text, "passwordHash" text, roles text[], "isActive" boolean,
    "emailVerifiedAt" timestamptz, "lastLoginAt" timestamptz, "createdAt" timestamptz, "updatedAt" timestamptz)
  on conflict do nothing
  returning id`)

export type UserImportStore = ReturnType<typeof createUserImportStore>

/** People who come from other systems, and how far each file of them has come. */
export function createUserImportStore (run: Run) {
  return {
    async find (fingerprint: string): Promise<ImportProgress | undefined> {
      const [row] = await run(async orm => await orm.select().from(userImports).where(eq(userImports.fingerprint, fingerprint)))
      return row
    },

    /** Begins at the beginning, also where the file was imported before. */
    async begin (fingerprint: string): Promise<void> {
      const begin = { position: 0, created: 0, skipped: 0, refused: 0, startedAt: sql`now()`, updatedAt: sql`now()`, finishedAt: null }
      await run(async orm => await orm.insert(userImports).values({ fingerprint, ...begin }).onConflictDoUpdate({ target: userImports.fingerprint, set: begin }))
    },

    /** Moves on from a position; false where somebody else did meanwhile. Others wait until the transaction is over. */
    async advance (fingerprint: string, from: number, counts: ImportCounts): Promise<boolean> {
      const rows = await run(async orm => await orm.update(userImports).set({ ...counts, updatedAt: sql`now()` })
        .where(and(eq(userImports.fingerprint, fingerprint), eq(userImports.position, from))).returning({ position: userImports.position }))
      return rows.length === 1
    },

    async finish (fingerprint: string): Promise<void> {
      await run(async orm => await orm.update(userImports).set({ finishedAt: sql`now()`, updatedAt: sql`now()` }).where(eq(userImports.fingerprint, fingerprint)))
    },

    /** Ids are in use by those who were deleted, too. */
    async findInUse (names: { emails: readonly string[], usernames: readonly string[], ids: readonly string[] }): Promise<NamesInUse> {
      const [emails, usernames, ids] = [names.emails, names.usernames, names.ids].map(list => JSON.stringify(list))
      const rows = await run(async orm => await selectInUse(orm, { emails: emails ?? '', usernames: usernames ?? '', ids: ids ?? '' }))
      const of = (kind: 'email' | 'username' | 'id') => new Set(rows.filter(row => row.kind === kind).map(row => row.name))
      return { emails: of('email'), usernames: of('username'), ids: of('id') }
    },

    /** Adds those whose id, e-mail and username are free; answers their ids. */
    async insert (people: readonly ImportedUser[]): Promise<Set<string>> {
      const rows = await run(async orm => await insertAll(orm, { users: JSON.stringify(people) }))
      return new Set(rows.map(({ id }) => id))
    }
  }
}

import { setTimeout as delay } from 'node:timers/promises'
import { sql } from 'drizzle-orm'
import type { Orm } from '../client.ts'
import { applyMigration, listMigrations, lockSchema, prepareMigrations, takeBackMigration, type Migration } from '../migrations.ts'
import { readColumns } from './dump-tables.ts'
import { DumpError, type DumpHeader } from './format.ts'

const names = (rows: Iterable<{ name: string }>): string[] => [...rows].map(({ name }) => name)

/** Milliseconds for which a restore waits for a table that others use. */
const lockTimeoutMs = 5000

/** How often it is looked whether others are gone, and the milliseconds in between: what has just ended may still be listed. */
const [looks, lookMs] = [10, 100]

/** Refuses to pull the ground from under others. */
async function requireNobodyElse (orm: Orm): Promise<void> {
  for (let look = 1; look <= looks; look++) {
    // Who is connected is read once in a transaction, unless it is forgotten.
    await orm.execute(sql`select pg_stat_clear_snapshot()`)
    const [others] = await orm.execute<{ count: number }>(sql`
      select count(*)::int as count from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid() and application_name like 'auth-serve%'`)
    if (others?.count === 0) return
    await delay(lookMs)
  }
  throw new DumpError('A service, or another command, is using the database: stop it first. Nothing was changed.')
}

async function requireNoUsers (orm: Orm, applied: ReadonlySet<string>): Promise<void> {
  const [table] = await orm.execute<{ present: boolean }>(sql`select to_regclass('users') is not null as present`)
  if (table?.present !== true) return
  if (applied.size === 0) throw new DumpError('The database has a table "users" of something else. Restore into a database of its own; nothing was changed.')
  const [row] = await orm.execute<{ present: boolean }>(sql`select exists (select from users) as present`)
  if (row?.present === true) throw new DumpError('The database has users already, and a dump is no way to merge them. Restore into an empty database (another DATABASE_URL or DATA_DIR); nothing was changed.')
}

/**
 * Gives a database that has no users the schema of a dump, empty; whatever else it held is gone. Others can change
 * nothing until the transaction is over. Answers the migrations that the dump does not have yet. Throws DumpError where
 * the database has users or is in use, or the dump is of a newer release.
 */
export async function rebuildSchema (orm: Orm, { release, migrations }: DumpHeader): Promise<Migration[]> {
  const known = await listMigrations()
  if (migrations.some((name, index) => known[index]?.name !== name)) {
    throw new DumpError(`The dump was made by release ${release}, whose database this release does not know: restore it with that release, or a newer one. Nothing was changed.`)
  }
  await lockSchema(orm)
  await orm.execute(sql.raw(`set local lock_timeout = ${lockTimeoutMs}`))
  await requireNobodyElse(orm)
  const applied = await prepareMigrations(orm)
  await requireNoUsers(orm, applied)
  const unknown = [...applied].filter(name => !names(known).includes(name))
  if (unknown.length > 0) throw new DumpError(`The database was migrated by a newer release (${unknown.join(', ')}): restore with that release. Nothing was changed.`)
  for (const { name } of known.toReversed()) if (applied.has(name)) await takeBackMigration(orm, name)
  for (const migration of known.slice(0, migrations.length)) await applyMigration(orm, migration)
  return known.slice(migrations.length)
}

/** Holds the tables of a dump against those that its migrations made in this very transaction, so that no row goes elsewhere and none is missed. */
export async function requireSameTables (orm: Orm, { tables }: DumpHeader): Promise<void> {
  const made = names(await orm.execute<{ name: string }>(sql`
    select relname as name from pg_class
    where relkind in ('r', 'p') and not relispartition and relname <> 'auth_serve_migrations' and xmin::text = (txid_current() % (2 ^ 32)::bigint)::text`))
  const mismatch = new DumpError('The tables of the dump are not those of the release that it names; nothing was restored.')
  if (new Set(names(tables)).size !== tables.length || [...names(tables)].sort().join() !== made.sort().join()) throw mismatch
  for (const { name, columns } of tables) if ((await readColumns(orm, name)).join() !== columns.join()) throw mismatch
}

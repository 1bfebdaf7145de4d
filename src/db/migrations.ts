import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { sql } from 'drizzle-orm'
import { readMigrationFiles } from 'drizzle-orm/migrator'
import { packageRoot } from '../package-root.ts'
import type { Orm } from './client.ts'
import { isContended } from './failures.ts'
import type { Pool } from './pool.ts'

const migrationsFolder = join(packageRoot, 'migrations')

/** Held while the schema changes, so that instances starting together migrate once. */
const migrationLock = 0x61757468_6462

/** One step of the schema, in the order of the journal. */
export interface Migration { name: string, statements: string[] }

export interface MigrationStatus { name: string, applied: boolean }

/** The migrations that this release knows, oldest first. */
export async function listMigrations (): Promise<Migration[]> {
  const journal: { entries: { tag: string }[] } = JSON.parse(await readFile(join(migrationsFolder, 'meta', '_journal.json'), 'utf8'))
  const files = readMigrationFiles({ migrationsFolder })
  return journal.entries.map((entry, index) => ({ name: entry.tag, statements: files[index]?.sql ?? [] }))
}

/** The names of those that a database has; its table of them must be there. */
export const appliedMigrations = async (orm: Orm): Promise<Set<string>> =>
  new Set((await orm.execute<{ name: string }>(sql`select name from auth_serve_migrations`)).map(row => row.name))

/** Milliseconds that a migration waits for a table that others use: less than PostgreSQL takes to find a deadlock, so that it is the migration that steps back. */
const lockTimeoutMs = 500
/** How often it tries, and the milliseconds in between, in which those who waited behind it get on. */
const [tries, pauseMs] = [60, 500]

/** Steps back from instances that are serving: they wait for a migration half a second at most, and never in vain. */
async function inMigration<T> (pool: Pool, work: (orm: Orm, applied: Set<string>) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await attemptMigration(pool, work)
    } catch (error) {
      if (!isContended(error) || attempt === tries) throw error
      await delay(pauseMs * (0.5 + Math.random()))
    }
  }
}

async function attemptMigration<T> (pool: Pool, work: (orm: Orm, applied: Set<string>) => Promise<T>): Promise<T> {
  return await pool.transaction(async orm => {
    // A migration may take longer than any statement of the service, and may wait for one.
    await orm.execute(sql`set local statement_timeout = 0`)
    await lockSchema(orm)
    await orm.execute(sql.raw(`set local lock_timeout = ${lockTimeoutMs}`))
    return await work(orm, await prepareMigrations(orm))
  })
}

/** Makes everybody else wait who changes the schema, until the transaction is over. */
export async function lockSchema (orm: Orm): Promise<void> {
  await orm.execute(sql`select pg_advisory_xact_lock(${migrationLock}::bigint)`)
}

/** Makes the table of migrations where it is missing; answers the names in it. */
export async function prepareMigrations (orm: Orm): Promise<Set<string>> {
  await orm.execute(sql`create table if not exists auth_serve_migrations (name text primary key, applied_at timestamptz not null default now())`)
  return await appliedMigrations(orm)
}

export async function applyMigration (orm: Orm, { name, statements }: Migration): Promise<void> {
  for (const statement of statements) await orm.execute(sql.raw(statement))
  await orm.execute(sql`insert into auth_serve_migrations (name) values (${name})`)
}

/** Takes one back with its `.down.sql`. */
export async function takeBackMigration (orm: Orm, name: string): Promise<void> {
  const script = await readFile(join(migrationsFolder, `${name}.down.sql`), 'utf8')
  for (const statement of script.split('--> statement-breakpoint')) await orm.execute(sql.raw(statement))
  await orm.execute(sql`delete from auth_serve_migrations where name = ${name}`)
}

/** Applies what is missing, all or nothing, under an advisory lock. Answers the names of what it applied. */
export async function migrateUp (pool: Pool): Promise<string[]> {
  const migrations = await listMigrations()
  return await inMigration(pool, async (orm, applied) => {
    const missing = migrations.filter(migration => !applied.has(migration.name))
    for (const migration of missing) await applyMigration(orm, migration)
    return missing.map(migration => migration.name)
  })
}

/** Takes the newest applied migration back with its `.down.sql`. Answers its name, or undefined when there is none. */
export async function migrateDown (pool: Pool): Promise<string | undefined> {
  const migrations = await listMigrations()
  return await inMigration(pool, async (orm, applied) => {
    const last = migrations.findLast(migration => applied.has(migration.name))
    if (last === undefined) return undefined
    await takeBackMigration(orm, last.name)
    return last.name
  })
}

/** Every known migration and whether this database has it. Changes nothing. */
export async function migrationStatus (pool: Pool): Promise<MigrationStatus[]> {
  const migrations = await listMigrations()
  return await pool.run(async orm => {
    const [table] = await orm.execute<{ present: boolean }>(sql`select to_regclass('auth_serve_migrations') is not null as present`)
    const applied = table?.present === true ? await appliedMigrations(orm) : new Set<string>()
    return migrations.map(({ name }) => ({ name, applied: applied.has(name) }))
  })
}

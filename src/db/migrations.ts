import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readMigrationFiles } from 'drizzle-orm/migrator'
import { packageRoot } from '../package-root.ts'
import type { Sql } from './client.ts'

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

async function inMigration<T> (sql: Sql, work: (tx: Parameters<Parameters<Sql['begin']>[1]>[0], applied: Set<string>) => Promise<T>): Promise<T> {
  const result: { value: T } = await sql.begin(async tx => {
    await tx`select pg_advisory_xact_lock(${migrationLock}::bigint)`
    // A migration may take longer than any statement of the service.
    await tx`set local statement_timeout = 0`
    await tx`create table if not exists auth_serve_migrations (name text primary key, applied_at timestamptz not null default now())`
    const rows = await tx<{ name: string }[]>`select name from auth_serve_migrations`
    return { value: await work(tx, new Set(rows.map(row => row.name))) }
  })
  return result.value
}

/** Applies what is missing, all or nothing, under an advisory lock. Answers the names of what it applied. */
export async function migrateUp (sql: Sql): Promise<string[]> {
  const migrations = await listMigrations()
  return await inMigration(sql, async (tx, applied) => {
    const missing = migrations.filter(migration => !applied.has(migration.name))
    for (const migration of missing) {
      for (const statement of migration.statements) await tx.unsafe(statement)
      await tx`insert into auth_serve_migrations (name) values (${migration.name})`
    }
    return missing.map(migration => migration.name)
  })
}

/** Takes the newest applied migration back with its `.down.sql`. Answers its name, or undefined when there is none. */
export async function migrateDown (sql: Sql): Promise<string | undefined> {
  const migrations = await listMigrations()
  return await inMigration(sql, async (tx, applied) => {
    const last = migrations.findLast(migration => applied.has(migration.name))
    if (last === undefined) return undefined
    const script = await readFile(join(migrationsFolder, `${last.name}.down.sql`), 'utf8')
    for (const statement of script.split('--> statement-breakpoint')) await tx.unsafe(statement)
    await tx`delete from auth_serve_migrations where name = ${last.name}`
    return last.name
  })
}

/** Every known migration and whether this database has it. Changes nothing. */
export async function migrationStatus (sql: Sql): Promise<MigrationStatus[]> {
  const migrations = await listMigrations()
  const [table] = await sql<{ present: boolean }[]>`select to_regclass('auth_serve_migrations') is not null as present`
  const rows = table?.present === true ? await sql<{ name: string }[]>`select name from auth_serve_migrations` : []
  const applied = new Set(rows.map(row => row.name))
  return migrations.map(({ name }) => ({ name, applied: applied.has(name) }))
}

import { sql } from 'drizzle-orm'
import type { Orm } from '../client.ts'
import { applyMigration } from '../migrations.ts'
import type { Pool } from '../pool.ts'
import { abandon, copyIn, useDumpSettings } from './copy.ts'
import { createDumpReader, type DumpReader } from './dump-reader.ts'
import { columnsOf, quote } from './dump-tables.ts'
import type { DumpHeader, DumpTable, DumpTrailer } from './format.ts'
import { rebuildSchema, requireSameTables } from './rebuild-schema.ts'

export interface RestoreDumpOptions {
  /** The dump, not compressed. */
  source: AsyncIterable<Buffer>
  onHeader: (header: DumpHeader) => void
  /** Told now and then how many rows there were. */
  onProgress: (rows: number) => void
}

export interface RestoredDump { header: DumpHeader, rows: DumpTrailer['rows'], migrated: string[] }

/**
 * Fills a database that has no users with a dump, and brings it to this release: all or nothing. Rows are as they were;
 * no trigger sees them. Throws DumpError where the dump is damaged or of a newer release, or the database has users or
 * is in use; nothing was changed then.
 */
export async function restoreDump (pool: Pool, { source, onHeader, onProgress }: RestoreDumpOptions): Promise<RestoredDump> {
  const reader = createDumpReader(source, onProgress)
  try {
    const header = await reader.header()
    onHeader(header)
    return await pool.transaction(async orm => await fill(orm, header, reader))
  } finally {
    await reader.close()
  }
}

async function fill (orm: Orm, header: DumpHeader, reader: DumpReader): Promise<RestoredDump> {
  await useDumpSettings(orm)
  const missing = await rebuildSchema(orm, header)
  await requireSameTables(orm, header)
  await makeMonths(orm, header)
  for (const table of header.tables) await load(orm, table, reader)
  const rows = await reader.finish()
  for (const migration of missing) await applyMigration(orm, migration)
  // Otherwise the first questions would be answered by plans for empty tables.
  for (const { name } of header.tables) await orm.execute(sql.raw(`analyze ${quote(name)}`))
  return { header, rows, migrated: missing.map(({ name }) => name) }
}

/** Events need the partitions of their months, where the trail has any. */
async function makeMonths (orm: Orm, { events }: DumpHeader): Promise<void> {
  if (events === null) return
  const [trail] = await orm.execute<{ partitioned: boolean }>(sql`select relkind = 'p' as partitioned from pg_class where oid = 'audit_events'::regclass`)
  if (trail?.partitioned !== true) return
  await orm.execute(sql`
    select auth_serve_add_audit_partition(month)
    from generate_series(date_trunc('month', ${events.from}::timestamptz), ${events.until}::timestamptz, interval '1 month') as month`)
}

async function load (orm: Orm, table: DumpTable, reader: DumpReader): Promise<void> {
  const name = quote(table.name)
  // What triggers make of a new row is in the dump already.
  await orm.execute(sql.raw(`alter table ${name} disable trigger user`))
  try {
    await copyIn(orm, `copy ${name} (${columnsOf(table)}) from stdin`, reader.rows(table.name))
  } catch (error) {
    await abandon(orm)
    throw error
  }
  await orm.execute(sql.raw(`alter table ${name} enable trigger user`))
}

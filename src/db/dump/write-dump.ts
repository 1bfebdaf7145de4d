import { createHash } from 'node:crypto'
import { sql } from 'drizzle-orm'
import type { Orm } from '../client.ts'
import { appliedMigrations, listMigrations, migrationStatus } from '../migrations.ts'
import type { Pool } from '../pool.ts'
import { abandon, copyOut, useDumpSettings } from './copy.ts'
import { columnsOf, listDumpTables, quote, readColumns } from './dump-tables.ts'
import { batchBytes, DumpError, encodeLine, endOfTable, formatVersion, type DumpHeader, type DumpTrailer } from './format.ts'

export interface WriteDumpOptions {
  release: string
  secretId: string
  /** Takes the dump, not compressed; resolves once all of it is where it belongs. */
  write: (lines: AsyncIterable<Buffer>) => Promise<void>
  /** Told now and then how many rows there were. */
  onProgress: (rows: number) => void
}

/**
 * Writes every row of ours as of one moment, beside whatever goes on; memory does not grow with the rows. Answers how
 * many rows each table has. Throws DumpError where the schema is not that of this release.
 */
export async function writeDump (pool: Pool, options: WriteDumpOptions): Promise<DumpTrailer['rows']> {
  const pending = (await migrationStatus(pool)).filter(({ applied }) => !applied)
  if (pending.length > 0) throw new DumpError(`The database lacks migrations of this release (${pending.map(({ name }) => name).join(', ')}): run "auth-serve migrate up" first, or dump with the release that it belongs to.`)
  return await pool.transaction(async orm => {
    await orm.execute(sql`set transaction isolation level repeatable read, read only`)
    await useDumpSettings(orm)
    // Before anything is read: what a table has is then not dropped between the moment that is dumped and its turn.
    await orm.execute(sql.raw(`lock table ${listDumpTables().map(quote).join(', ')} in access share mode`))
    const header = await describe(orm, options)
    const rows: DumpTrailer['rows'] = {}
    try {
      await options.write(linesOf(orm, header, rows, options.onProgress))
    } catch (error) {
      await abandon(orm)
      throw error
    }
    return rows
  })
}

async function describe (orm: Orm, { release, secretId }: WriteDumpOptions): Promise<DumpHeader> {
  const known = (await listMigrations()).map(({ name }) => name)
  const unknown = [...await appliedMigrations(orm)].filter(name => !known.includes(name))
  if (unknown.length > 0) throw new DumpError(`The database was migrated by a newer release (${unknown.join(', ')}): dump it with that release.`)
  const [events] = await orm.execute<{ from: string | null, until: string | null }>(sql`select min(occurred_at)::text as from, max(occurred_at)::text as until from audit_events`)
  const tables: DumpHeader['tables'] = []
  for (const name of listDumpTables()) tables.push({ name, columns: await readColumns(orm, name) })
  return {
    format: 'auth-serve dump',
    version: formatVersion,
    release,
    createdAt: new Date().toISOString(),
    secretId,
    migrations: known,
    tables,
    events: typeof events?.from === 'string' && typeof events.until === 'string' ? { from: events.from, until: events.until } : null
  }
}

async function * linesOf (orm: Orm, header: DumpHeader, rows: DumpTrailer['rows'], onProgress: WriteDumpOptions['onProgress']): AsyncGenerator<Buffer> {
  const hash = createHash('sha256')
  const hashed = (lines: Buffer): Buffer => {
    hash.update(lines)
    return lines
  }
  let total = 0
  yield hashed(encodeLine(header))
  for (const table of header.tables) {
    let count = 0
    // A partitioned table has rows through a query only.
    for await (const batch of batchesOf(copyOut(orm, `copy (select ${columnsOf(table)} from ${quote(table.name)}) to stdout`))) {
      count += countLines(batch)
      onProgress(total + count)
      yield hashed(batch)
    }
    rows[table.name] = count
    total += count
    yield hashed(endOfTable)
  }
  yield encodeLine({ rows, sha256: hash.digest('hex') })
}

/** In a row a line end is written otherwise, so each is the end of one. */
function countLines (lines: Buffer): number {
  let count = 0
  for (let end = lines.indexOf(10); end !== -1; end = lines.indexOf(10, end + 1)) count++
  return count
}

/** Joins rows, since each by itself would be a write of its own. */
async function * batchesOf (lines: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let [waiting, bytes] = [new Array<Buffer>(), 0]
  for await (const line of lines) {
    waiting.push(line)
    bytes += line.length
    if (bytes < batchBytes) continue
    yield Buffer.concat(waiting);
    [waiting, bytes] = [[], 0]
  }
  if (bytes > 0) yield Buffer.concat(waiting)
}

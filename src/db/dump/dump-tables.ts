import { getTableName, is, sql } from 'drizzle-orm'
import { getTableConfig, PgTable } from 'drizzle-orm/pg-core'
import type { Orm } from '../client.ts'
import * as tables from '../tables.ts'
import type { DumpTable } from './format.ts'

/** Every table of ours, each after those that it refers to. What the migrations have applied stands in the header of a dump. */
export function listDumpTables (): string[] {
  const ordered: string[] = []
  function add (table: PgTable): void {
    const name = getTableName(table)
    if (ordered.includes(name)) return
    for (const { reference } of getTableConfig(table).foreignKeys) {
      const { foreignTable } = reference()
      if (foreignTable !== table) add(foreignTable)
    }
    ordered.push(name)
  }
  for (const table of Object.values(tables)) if (is(table, PgTable)) add(table)
  return ordered
}

/** The columns of a table that have values of their own, in their order. */
export async function readColumns (orm: Orm, table: string): Promise<string[]> {
  const rows = await orm.execute<{ name: string }>(sql`
    select attname as name from pg_attribute
    where attrelid = to_regclass(${table}) and attnum > 0 and not attisdropped and attgenerated = '' order by attnum`)
  return rows.map(({ name }) => name)
}

/** Names for a statement; those of a header are letters, digits and underscores. */
export const quote = (name: string): string => `"${name}"`
export const columnsOf = ({ columns }: DumpTable): string => columns.map(quote).join(', ')

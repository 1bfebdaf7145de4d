import { getTableColumns, getTableName, sql, Subquery } from 'drizzle-orm'
import type { Run } from './pool.ts'
import { users } from './tables.ts'
import { listStatement } from './user-directory-statement.ts'
import type { UserQuery } from './user-query.ts'

/** What of the aggregate of people is about finding them. */
export function createUserDirectory (run: Run) {
  let trigramIndex: boolean | undefined

  /** Found out once. An answer counts from when the tables are there, so that a database which comes later is asked again. */
  async function hasTrigramIndex (): Promise<boolean> {
    if (trigramIndex !== undefined) return trigramIndex
    const [row] = await run(async orm => await orm.execute<{ tables: boolean, trigrams: boolean }>(
      // One that is being made, or whose making failed, is there and of no use.
      sql`select to_regclass('user_search') is not null as tables,
        exists (select from pg_index where indexrelid = to_regclass('user_search_trigram_idx') and indisvalid) as trigrams`))
    if (row?.tables === true) trigramIndex = row.trigrams
    return row?.trigrams === true
  }

  return {
    /** Some of the people, in the order asked for, from behind `after` on: one statement. */
    async list (query: UserQuery): Promise<(typeof users.$inferSelect)[]> {
      const substrings = query.search !== undefined && await hasTrigramIndex()
      const columns = getTableColumns(users)
      const listed = new Subquery(listStatement(query, { substrings }), columns, getTableName(users))
      return await run(async orm => await orm.select(columns).from(listed))
    }
  }
}

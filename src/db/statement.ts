import { sql, type SQL } from 'drizzle-orm'
import { PgDialect } from 'drizzle-orm/pg-core'
import type { Orm } from './client.ts'

/**
 * The time at which a row is written, where `now()` would be when the transaction began: a login that was committed since
 * must count as before it.
 */
export const thisMoment = sql`clock_timestamp()`

/** What a statement takes for a name. */
export type StatementValue = string | number | Buffer | null

/** Runs a statement with these values; answers its rows as the driver reads them. */
export type Statement<Name extends string, Row> = (orm: Orm, values: Record<Name, StatementValue>) => Promise<Row[]>

/**
 * Makes the text of a statement once: drizzle would put it together anew for each call, which takes longer than sending
 * it. A value that is named several times is sent once; constants become part of the text.
 */
export function createStatement<Name extends string, Row extends Record<string, unknown>> (build: (value: (name: Name) => SQL) => SQL): Statement<Name, Row> {
  const names: Name[] = []
  const { sql: text } = new PgDialect().sqlToQuery(build(name => {
    if (!names.includes(name)) names.push(name)
    return sql.raw(`$${names.indexOf(name) + 1}`)
  }).inlineParams())
  return async (orm, values) => await orm.$client.unsafe<Row[]>(text, names.map(name => values[name]))
}

/** Makes a query of drizzle's builder once for each connection; what differs from call to call is a `sql.placeholder`. */
export function prepared<Query> (build: (orm: Orm) => Query): (orm: Orm) => Query {
  const queries = new WeakMap<Orm, Query>()
  return orm => {
    const known = queries.get(orm)
    if (known !== undefined) return known
    const query = build(orm)
    queries.set(orm, query)
    return query
  }
}

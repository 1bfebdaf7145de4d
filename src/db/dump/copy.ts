import { once } from 'node:events'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { sql } from 'drizzle-orm'
import type { Orm } from '../client.ts'
import { isOutage } from '../failures.ts'
import { damaged } from './format.ts'

/** How rows are written and read whatever server, role or database says: the same text on every machine. */
export async function useDumpSettings (orm: Orm): Promise<void> {
  for (const setting of [
    "datestyle = 'ISO, YMD'", "timezone = 'UTC'", "intervalstyle = 'iso_8601'", "bytea_output = 'hex'", 'extra_float_digits = 1',
    'statement_timeout = 0', 'idle_in_transaction_session_timeout = 0'
  ]) await orm.execute(sql.raw(`set local ${setting}`))
}

/** Ends the connection: after a copy that was given up in the middle it is of no more use, not even to roll back. */
export async function abandon (orm: Orm): Promise<void> {
  await orm.$client.end({ timeout: 0 }).catch(() => {})
}

/** The rows of `copy ... to stdout` as lines, some at a time. Who stops in the middle must {@link abandon}. */
export async function * copyOut (orm: Orm, statement: string): AsyncGenerator<Buffer> {
  yield * await orm.$client.unsafe(statement).readable()
}

const failureOf = (error: unknown): unknown => isOutage(error) ? error : damaged(error)

/** Carries out `copy ... from stdin` with these lines. Throws DumpError where the server refuses a row. Where it fails one must {@link abandon}. */
export async function copyIn (orm: Orm, statement: string, rows: AsyncIterable<Buffer>): Promise<void> {
  const stream = await orm.$client.unsafe(statement).writable()
  let refusal: Error | undefined
  stream.on('error', error => { refusal = error })
  const closed = once(stream, 'close').catch(() => {})
  for await (const batch of rows) {
    const written = new Promise(resolve => stream.write(batch, resolve))
    // A server that refuses a row ends the stream, and then no write is answered.
    await Promise.race([written, closed])
    if (refusal !== undefined) throw failureOf(refusal)
  }
  stream.end()
  // postgres.js never tells of an error that comes after the last row. But the next statement then finds the transaction
  // aborted; it may be sent once the end of the rows was.
  await nextTurn()
  try {
    await orm.execute(sql`select 1`)
  } catch (error) {
    throw failureOf(refusal ?? error)
  }
}

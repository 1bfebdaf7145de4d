import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type postgres from 'postgres'
import { isTransient } from './admin-connection.ts'
import type { Place } from './place.ts'

const waitMs = 60_000

/**
 * Stops the server (PostgreSQL's fast mode: a checkpoint, then the end), and waits until its files are at rest.
 *
 * The server signals itself: it may run in another container, where the pid in its file means another process to us.
 */
export async function stopServer ({ cluster }: Place, sql: postgres.Sql): Promise<void> {
  const postmasterFile = join(cluster, 'postmaster.pid')
  try {
    await sql`copy (select 1 where false) to program 'read pid < postmaster.pid && kill -INT "$pid"'`
  } catch (err) {
    if (!isTransient(err)) throw err
  }
  const deadline = Date.now() + waitMs
  while (Date.now() < deadline && await access(postmasterFile).then(() => true, () => false)) await delay(10)
}

import { setTimeout as delay } from 'node:timers/promises'
import type postgres from 'postgres'
import { connectAdmin, isTransient, type AdminConnection } from './admin-connection.ts'
import { EmbeddedPostgresError } from './errors.ts'
import type { Place } from './place.ts'
import { withLock } from './start-lock.ts'
import { stopServer } from './stop-server.ts'

/** The advisory lock that every process using the database holds in shared mode. */
const usersLock = '7021464901123'

const waitMs = 300_000

/**
 * Connects to the running server, or has it started, and takes this process's share of the users' lock.
 *
 * @param start called under the start lock when no server listens.
 * @throws EmbeddedPostgresError when the server does not come up within 5 minutes.
 */
export async function joinServer (place: Place, start: () => Promise<void>): Promise<AdminConnection> {
  const deadline = Date.now() + waitMs
  while (Date.now() < deadline) {
    const attempt = await connectAdmin(place)
    if (attempt === 'absent') await withLock(place.socketDirectory, async () => { if (await isAbsent(place)) await start() })
    else if (attempt === 'busy') await delay(20)
    else if (await takeShare(attempt.sql)) return attempt
  }
  throw new EmbeddedPostgresError(`PostgreSQL in ${place.home} has been starting or stopping for 5 minutes: see server.log there.`)
}

/** Gives up this process's share; whoever then gets the lock for itself alone was the last, and stops the server. */
export async function leaveServer (place: Place, { sql }: AdminConnection): Promise<void> {
  try {
    await withLock(place.socketDirectory, async () => {
      await sql`select pg_advisory_unlock_shared(${usersLock}::bigint)`
      const [row] = await sql<{ last: boolean }[]>`select pg_try_advisory_lock(${usersLock}::bigint) as last`
      if (row?.last === true) await stopServer(place, sql)
    })
  } finally {
    await sql.end({ timeout: 0 })
  }
}

/** Waits while a leaving process holds the lock alone; it then stops the server, and the wait fails. */
async function takeShare (sql: postgres.Sql): Promise<boolean> {
  try {
    await sql`select pg_advisory_lock_shared(${usersLock}::bigint)`
    return true
  } catch (err) {
    await sql.end({ timeout: 0 })
    if (isTransient(err)) return false
    throw err
  }
}

async function isAbsent (place: Place): Promise<boolean> {
  const attempt = await connectAdmin(place)
  if (typeof attempt === 'string') return attempt === 'absent'
  await attempt.sql.end({ timeout: 0 })
  return false
}

import postgres from 'postgres'
import { clusterVersion, superuser, superuserPasswordFile } from './cluster.ts'
import { EmbeddedPostgresError, hasCode } from './errors.ts'
import type { Place } from './place.ts'
import { readPrivateFile } from './private-files.ts'
import { port } from './socket-directory.ts'

/** One connection as superuser to the maintenance database; `closed` settles when it is lost or ended. */
export interface AdminConnection { sql: postgres.Sql, closed: Promise<void> }

/** `absent`: nobody listens on the socket. `busy`: a server is starting, stopping or full. */
export type Attempt = AdminConnection | 'absent' | 'busy'

/** Tries to connect once: the only measure of whether the server lives. */
export async function connectAdmin (place: Place): Promise<Attempt> {
  const password = await readPrivateFile(superuserPasswordFile(place))
  if (password === undefined) {
    if (await clusterVersion(place) === undefined) return 'absent'
    throw new EmbeddedPostgresError(`${superuserPasswordFile(place)} is missing, and with it the way into the database beside it: restore that file from a backup.`)
  }
  const { promise: closed, resolve: onclose } = settleable()
  const sql = postgres({
    host: place.socketDirectory,
    port,
    database: 'postgres',
    username: superuser,
    password,
    ssl: false,
    max: 1,
    // The advisory lock lives as long as its connection, so nothing but an end may close it.
    idle_timeout: 0,
    max_lifetime: null,
    connect_timeout: 10,
    fetch_types: false,
    connection: { application_name: 'auth-serve keeper' },
    onnotice: () => {},
    onclose
  })
  try {
    await sql`select 1`
    return { sql, closed }
  } catch (err) {
    await sql.end({ timeout: 0 })
    if (hasCode(err, 'ENOENT', 'ECONNREFUSED')) return 'absent'
    if (isTransient(err)) return 'busy'
    if (!hasCode(err, '28P01')) throw err
    throw new EmbeddedPostgresError(`The database in ${place.cluster} does not know the password in ${superuserPasswordFile(place)}: restore that file from a backup.`, { cause: err })
  }
}

/** Whether the server went away or is on its way up or down, and another try makes sense. */
export function isTransient (err: unknown): boolean {
  return hasCode(err, '57P01', '57P02', '57P03', '53300', 'ECONNRESET', 'EPIPE', 'EAGAIN', 'CONNECTION_CLOSED', 'CONNECTION_ENDED', 'CONNECTION_DESTROYED', 'CONNECT_TIMEOUT')
}

function settleable (): { promise: Promise<void>, resolve: () => void } {
  let resolve = () => {}
  const promise = new Promise<void>(_resolve => { resolve = _resolve })
  return { promise, resolve }
}

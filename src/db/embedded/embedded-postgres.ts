import type { AdminConnection } from './admin-connection.ts'
import { applicationRole, provision } from './application-role.ts'
import { runnableBinaries } from './binaries.ts'
import { checkVersion, clusterVersion, createCluster } from './cluster.ts'
import { keep } from './keeper.ts'
import type { EmbeddedLog } from './log.ts'
import { joinServer, leaveServer } from './membership.ts'
import type { OsUser } from './os-user.ts'
import { preparePlace } from './place.ts'
import { findPlatformPackage, majorVersion, type PlatformPackage } from './platform-package.ts'
import { removeUnfinished } from './private-files.ts'
import { keepServerLogBounded } from './server-log.ts'
import { port } from './socket-directory.ts'
import { startServer } from './start-server.ts'

export interface EmbeddedPostgresOptions {
  /** The service's data directory; the database is in `pg` inside. Made when missing. */
  dataDir: string
  log: EmbeddedLog
  /** False trades durability for speed: for tests. Only the process that starts the server decides. Default true. */
  fsync?: boolean
  /** Made when missing; owned by the role of the connection. Default `auth_serve`. */
  database?: string
}

export interface EmbeddedPostgres {
  /** Options of postgres.js; `host` is the directory of the unix socket. */
  connection: { host: string, port: number, database: string, username: string, password: string }
  /** Leaves the database, and stops the server if no other process uses it. End your own connections first. */
  close (): Promise<void>
}

/** What tests choose for themselves: another copy of the binaries, another owner of a new database. */
export interface EmbeddedPostgresParts { platformPackage?: PlatformPackage, newUser?: OsUser }

/**
 * Gives this process a PostgreSQL in `dataDir`: attaches to the server that runs there, or makes the database if need
 * be and starts it. Many processes may do so at once.
 *
 * @throws EmbeddedPostgresError when a person has to act.
 */
export async function startEmbeddedPostgres (options: EmbeddedPostgresOptions, parts: EmbeddedPostgresParts = {}): Promise<EmbeddedPostgres> {
  const { dataDir, log, fsync = true, database = 'auth_serve' } = options
  const platformPackage = parts.platformPackage ?? await findPlatformPackage()
  const place = await preparePlace(dataDir, log, parts.newUser)
  const major = majorVersion(platformPackage)
  await checkVersion(place, major)

  async function start (): Promise<void> {
    await removeUnfinished(place.home)
    const binaries = await runnableBinaries(platformPackage, place.home, place.user, log)
    if (await clusterVersion(place) === undefined) await createCluster(place, binaries, fsync)
    await startServer(place, binaries, fsync)
    log.info({ directory: place.home, version: platformPackage.version, user: place.user?.name }, 'started the embedded PostgreSQL')
  }

  async function leave (connection: AdminConnection): Promise<void> {
    await leaveServer(place, connection).catch((err: unknown) => { log.warn({ err }, 'could not leave the embedded PostgreSQL in order') })
  }

  const first = await joinServer(place, start)
  const password = await provision(place, first.sql, database).catch(async (err: unknown) => {
    await leave(first)
    throw err
  })
  const keeper = keep(first, async () => await joinServer(place, start), log)
  const stopBounding = keepServerLogBounded(place, err => { log.warn({ err }, 'could not bound server.log') })

  async function close (): Promise<void> {
    stopBounding()
    const connection = await keeper.stop()
    if (connection !== undefined) await leave(connection)
  }

  let closing: Promise<void> | undefined
  return {
    connection: { host: place.socketDirectory, port, database, username: applicationRole, password },
    close: async () => { await (closing ??= close()) }
  }
}

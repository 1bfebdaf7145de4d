import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../src/db/embedded/index.ts'

export interface BenchDatabase {
  /** Where a database is, for whoever connects from within the runner. */
  location (database: string): Promise<EmbeddedPostgres['connection']>
  /** The environment in which postgres.js finds this database, the same for every side. */
  environment (database: string): Promise<Record<string, string>>
  close (): Promise<void>
}

/**
 * A PostgreSQL of the benchmarks' own, as durable as in production. It listens on a unix socket, which a URL cannot
 * name: the URL leaves everything but the database open, and postgres.js takes the rest from the variables of libpq. So
 * no forwarder stands between any side and the server.
 */
export async function startDatabase (): Promise<BenchDatabase> {
  const dataDir = await mkdtemp(join(tmpdir(), 'auth-serve-bench-'))
  const log = { info: () => {}, warn: (details: object, message: string) => { process.stderr.write(`${message} ${JSON.stringify(details)}\n`) } }
  const members: EmbeddedPostgres[] = []
  async function location (database: string): Promise<EmbeddedPostgres['connection']> {
    const member = await startEmbeddedPostgres({ dataDir, log, database })
    members.push(member)
    return member.connection
  }
  return {
    location,
    async environment (database) {
      const { host, port, username, password } = await location(database)
      return { DATABASE_URL: `postgres:///${database}`, PGHOST: host, PGPORT: String(port), PGUSER: username, PGPASSWORD: password }
    },
    async close () {
      for (const member of members) await member.close()
      await rm(dataDir, { recursive: true, force: true, maxRetries: 5 })
    }
  }
}

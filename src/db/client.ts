import { drizzle, type PostgresJsDatabase } from 'drizzle-orm/postgres-js'
import postgres from 'postgres'

/** Where PostgreSQL is: a URL, or the parts of one (`host` is a folder for a unix socket). */
export type DatabaseLocation =
  | { url: string }
  | { host: string, port: number, database: string, username: string, password: string }

export interface ClientOptions {
  /** Connections at most. */
  max: number
  /** Milliseconds a statement may run before PostgreSQL cancels it; 0 for no bound. */
  statementTimeoutMs: number
  connectTimeoutSeconds: number
}

export type Sql = postgres.Sql
export type Orm = PostgresJsDatabase

/** Opens a pool of postgres.js. It connects lazily: a database that is down does not fail here. */
export function createClient (location: DatabaseLocation, options: ClientOptions): Sql {
  const settings = {
    max: options.max,
    connect_timeout: options.connectTimeoutSeconds,
    idle_timeout: 60,
    // postgres.js backs off between failed connects; a short cap lets the service return soon after the database.
    backoff: (retries: number) => Math.min(0.1 * retries, 1),
    onnotice: () => {},
    connection: {
      application_name: 'auth-serve',
      ...(options.statementTimeoutMs > 0 ? { statement_timeout: options.statementTimeoutMs } : {})
    }
  }
  return 'url' in location ? postgres(location.url, settings) : postgres({ ...location, ...settings })
}

export function createOrm (client: Sql): Orm {
  return drizzle(client)
}

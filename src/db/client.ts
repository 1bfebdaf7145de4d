import { drizzle, type PostgresJsDatabase } from 'drizzle-orm/postgres-js'
import postgres, { type Sql } from 'postgres'

/** Where PostgreSQL is: a URL, or the parts of one (`host` is a folder for a unix socket). */
export type DatabaseLocation =
  | { url: string }
  | { host: string, port: number, database: string, username: string, password: string }

export interface ConnectionOptions {
  /** Milliseconds a statement may run before PostgreSQL cancels it; 0 for no bound. */
  statementTimeoutMs: number
  connectTimeoutSeconds: number
  preparedStatements: boolean
}

export type Orm = PostgresJsDatabase & { $client: Sql }

/** One connection, for one user at a time. Once `isLost()`, every statement on it fails. */
export interface Connection {
  orm: Orm
  isLost(): boolean
  /** Ends it at once; a statement that is under way fails with CONNECTION_DESTROYED. */
  destroy(): void
  /** Ends it when what is under way is done. */
  close(): Promise<void>
}

/** What a statement meets on a connection that went away before it; its code is that of postgres.js. */
export class ConnectionLostError extends Error {
  readonly code = 'CONNECTION_CLOSED'
}

/** What every connection of ours has in common: one socket, for as long as it lasts. */
export const clientSettings = (connectTimeoutSeconds: number) => ({
  max: 1,
  idle_timeout: 0,
  max_lifetime: null,
  connect_timeout: connectTimeoutSeconds,
  // drizzle maps array columns itself.
  fetch_types: false,
  onnotice: () => {}
})

/**
 * Opens a connection; it connects at its first statement. It never connects again: postgres.js would do so by itself,
 * and the rest of a transaction would then run outside of it (docs/decisions/004-one-client-per-connection.md).
 */
export function openConnection (location: DatabaseLocation, { statementTimeoutMs, connectTimeoutSeconds, preparedStatements }: ConnectionOptions): Connection {
  let lost = false
  const settings = {
    ...clientSettings(connectTimeoutSeconds),
    onclose: () => { lost = true },
    connection: {
      application_name: 'auth-serve',
      ...(statementTimeoutMs > 0 ? { statement_timeout: statementTimeoutMs } : {})
    }
  }
  const client = 'url' in location ? postgres(location.url, settings) : postgres({ ...location, ...settings })
  const end = async (timeout: number) => {
    lost = true
    await client.end({ timeout })
  }
  const guarded = new Proxy(client, {
    get (target, key, receiver) {
      if (key !== 'unsafe') return Reflect.get(target, key, receiver)
      if (lost) throw new ConnectionLostError('the connection was lost before this statement')
      // drizzle asks for unprepared statements, which cost a second round trip and a new plan each time.
      const unsafe: typeof target.unsafe = (query, parameters = [], options = {}) =>
        target.unsafe(query, parameters, { ...options, prepare: preparedStatements && parameters.length > 0 })
      return unsafe
    }
  })
  return {
    orm: drizzle(guarded),
    isLost: () => lost,
    destroy: () => { end(0).catch(() => {}) },
    close: async () => { await end(5) }
  }
}

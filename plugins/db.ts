import { setTimeout as delay } from 'node:timers/promises'
import { Type, type Static } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { Breakers } from '../src/breakers/breakers.ts'
import type { DatabaseLocation } from '../src/db/client.ts'
import { judgeDatabaseError } from '../src/db/failures.ts'
import { openListener, type Listen } from '../src/db/listener.ts'
import { createPool } from '../src/db/pool.ts'
import { prepareSchema } from '../src/db/schema-preparation.ts'
import { createDatabase, type Database, type Guard, type OnRevoked } from '../src/db/stores.ts'
import { parseOptions } from '../src/options.ts'

/** Options of the db plugin. */
export const DbOptionsSchema = Type.Object({
  decorator: Type.String({ default: 'authServeDb' }),
  /** Name under which the breaker plugin decorated the instance; without it there, calls go unguarded. */
  breakersDecorator: Type.String({ default: 'authServeBreakers' }),
  /** Name of the circuit breaker of this database. */
  breaker: Type.String({ default: 'database' }),
  /** `postgres://user:password@host:port/database`; TLS by `?sslmode=require` or `verify-full`. */
  url: Type.Optional(Type.String({ pattern: '^postgres(ql)?://' })),
  /**
   * The same server reached directly, where `url` leads to a pooler such as PgBouncer: notifications do not come through
   * one that pools by transaction. Default: as `url`.
   */
  listenUrl: Type.Optional(Type.String({ pattern: '^postgres(ql)?://' })),
  /** In place of a URL, its parts; `host` may be the folder of a unix socket. */
  host: Type.Optional(Type.String({ minLength: 1 })),
  port: Type.Integer({ minimum: 1, maximum: 65535, default: 5432 }),
  database: Type.Optional(Type.String()),
  username: Type.Optional(Type.String()),
  password: Type.Optional(Type.String()),
  /** Connections at most. */
  poolMax: Type.Integer({ minimum: 1, maximum: 1000, default: 10 }),
  /** Calls that may wait for a connection; one more is refused at once. */
  poolQueue: Type.Integer({ minimum: 0, default: 500 }),
  /** Milliseconds that a call may wait for a connection. */
  acquireTimeoutMs: Type.Integer({ minimum: 1, default: 2000 }),
  /** Milliseconds that a statement may run; 0 for no bound. */
  statementTimeoutMs: Type.Integer({ minimum: 0, default: 5000 }),
  /** Prepare statements; false for a pooler by transaction that cannot keep them apart. */
  preparedStatements: Type.Boolean({ default: true }),
  connectTimeoutSeconds: Type.Number({ exclusiveMinimum: 0, default: 3 }),
  /** Apply missing migrations at start. */
  migrate: Type.Boolean({ default: true }),
  /** Milliseconds between two tries to reach a database that is away. */
  retryMs: Type.Integer({ minimum: 10, default: 500 })
}, { additionalProperties: false })

export type DbOptions = Partial<Static<typeof DbOptionsSchema>>

/** The database of a scope: stores, transactions, and whether the schema is in place. */
export interface AuthServeDb extends Database {
  isSchemaReady(): boolean
  /** Opens a connection that hears of revocations and changed keys. */
  listen: Listen
  /** Tells of what was revoked through this instance, once it is committed. */
  onRevoked(listener: OnRevoked): void
}

declare module 'fastify' {
  interface FastifyInstance { authServeDb: AuthServeDb }
}

function locationOf ({ url, host, port, database, username, password }: Static<typeof DbOptionsSchema>): DatabaseLocation {
  if (url !== undefined) return { url }
  if (host !== undefined && database !== undefined && username !== undefined && password !== undefined) {
    return { host, port, database, username, password }
  }
  throw new TypeError('auth-serve db: invalid options: give url, or host, database, username and password')
}

/** The breaker of this database, where the breaker plugin is registered. */
function guardOf (app: FastifyInstance, { breakersDecorator, breaker }: Static<typeof DbOptionsSchema>): Guard | undefined {
  if (!app.hasDecorator(breakersDecorator)) return undefined
  // Acquire, connect and statement timeouts bound each call already, and free its connection too.
  return app.getDecorator<Breakers>(breakersDecorator).policy(breaker, { timeoutMs: 0, judge: judgeDatabaseError })
}

/** Milliseconds that the start waits for the schema before the service goes live without it. */
const startWaitMs = 5000

/**
 * A pool of postgres.js with drizzle, wrapped once: every call waits at most `acquireTimeoutMs` for its turn, runs at
 * most `statementTimeoutMs`, and fails with CodedError SERVICE_UNAVAILABLE in an outage. A database that is away at
 * start does not stop the start; a schema that cannot be migrated does.
 */
async function db (app: FastifyInstance, options: DbOptions): Promise<void> {
  const settings = parseOptions('db', DbOptionsSchema, options)
  const { connectTimeoutSeconds, statementTimeoutMs, migrate, retryMs } = settings
  const location = locationOf(settings)
  const pool = createPool({
    location,
    max: settings.poolMax,
    queue: settings.poolQueue,
    acquireTimeoutMs: settings.acquireTimeoutMs,
    statementTimeoutMs,
    connectTimeoutSeconds,
    preparedStatements: settings.preparedStatements
  })

  const closing = new AbortController()
  let schemaReady = false
  let goOnWithout = () => {}
  const waiting = new Promise<void>(resolve => { goOnWithout = resolve })
  const prepared = prepareSchema({ location, log: app.log, signal: closing.signal, onWaiting: goOnWithout, connectTimeoutSeconds, migrate, retryMs })
    .then(ready => { schemaReady = ready })
  const listeners: OnRevoked[] = []
  const { listenUrl } = settings
  app.decorate(settings.decorator, {
    ...createDatabase(pool, guardOf(app, settings), revoked => { for (const listener of listeners) listener(revoked) }),
    isSchemaReady: () => schemaReady,
    listen: async handlers => await openListener({ ...handlers, location: listenUrl === undefined ? location : { url: listenUrl }, connectTimeoutSeconds }),
    onRevoked: listener => { listeners.push(listener) }
  } satisfies AuthServeDb)
  app.addHook('onClose', async () => {
    closing.abort()
    await prepared.catch(() => {})
    await pool.close()
  })

  const starting = new AbortController()
  const inTime = delay(startWaitMs, false, { signal: starting.signal })
  try {
    await Promise.race([prepared, waiting, inTime])
    prepared.catch(error => app.log.error({ err: error }, 'the database schema could not be prepared'))
  } finally {
    starting.abort()
    await inTime.catch(() => {})
  }
}

export const dbPlugin = fp(db, { name: 'auth-serve-db', fastify: '5.x' })
export default dbPlugin

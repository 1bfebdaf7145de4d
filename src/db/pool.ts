import { DrizzleQueryError, sql } from 'drizzle-orm'
import { createBulkhead } from '../bulkhead.ts'
import { ConnectionLostError, openConnection, type Connection, type DatabaseLocation, type Orm } from './client.ts'
import { isConnectionFailure } from './failures.ts'

export interface PoolOptions {
  location: DatabaseLocation
  /** Connections at most. */
  max: number
  /** Calls that may wait for a connection; one more is refused at once. */
  queue: number
  /** Milliseconds that a call may wait for a connection. */
  acquireTimeoutMs: number
  /** Milliseconds that a statement may run; 0 for no bound. */
  statementTimeoutMs: number
  connectTimeoutSeconds: number
  preparedStatements: boolean
}

/** Runs queries on some connection: one that the pool lends, or that of a transaction. */
export type Run = <T>(query: (orm: Orm) => Promise<T>) => Promise<T>

/** Connections of postgres.js, each lent to one piece of work at a time and thrown away once anything went wrong with it. */
export interface Pool {
  /** Runs `work` on a connection of its own. Throws BulkheadRejectedError where none comes free in time. */
  run: Run
  /** The same in a transaction: all or nothing. A commit that fails may or may not have happened. */
  transaction: Run
  /** Ends every connection: those that are idle now, the others as soon as their work is done. */
  close(): Promise<void>
}

/** A connection older than this (milliseconds) is replaced, so that server-side caches and DNS changes are followed. */
const maxAgeMs = 30 * 60_000

interface Slot { connection: Connection, openedAt: number }

/** A pool for one user at a time whose statements may take as long as they need: migrations and commands. */
export function createSinglePool (location: DatabaseLocation, connectTimeoutSeconds = 10): Pool {
  return createPool({ location, connectTimeoutSeconds, preparedStatements: false, max: 1, queue: 0, acquireTimeoutMs: 1000, statementTimeoutMs: 0 })
}

export function createPool (options: PoolOptions): Pool {
  const idle: Slot[] = []
  const slots = createBulkhead({ concurrency: options.max, queue: options.queue, queueTimeoutMs: options.acquireTimeoutMs })
  let closed = false
  // A server that vanished without a word answers nothing, not even that a statement took too long.
  const workTimeoutMs = options.statementTimeoutMs === 0 ? 0 : options.statementTimeoutMs + 1000

  function take (): Slot {
    for (let slot = idle.pop(); slot !== undefined; slot = idle.pop()) {
      if (!slot.connection.isLost() && Date.now() - slot.openedAt < maxAgeMs) return slot
      slot.connection.destroy()
    }
    return { connection: openConnection(options.location, options), openedAt: Date.now() }
  }

  async function withConnection<T> (work: (connection: Connection) => Promise<T>): Promise<T> {
    if (closed) throw new ConnectionLostError('the pool is closed')
    const slot = take()
    const { connection } = slot
    const timer = workTimeoutMs === 0 ? undefined : setTimeout(connection.destroy, workTimeoutMs)
    try {
      return await work(connection)
    } catch (error) {
      if (isConnectionFailure(error)) connection.destroy()
      // drizzle's own error repeats the statement and its parameters; what went wrong is the cause.
      throw error instanceof DrizzleQueryError ? error.cause : error
    } finally {
      clearTimeout(timer)
      if (closed) await connection.close()
      else if (!connection.isLost()) idle.push(slot)
    }
  }

  async function inTransaction<T> (connection: Connection, work: (orm: Orm) => Promise<T>): Promise<T> {
    const { orm } = connection
    await orm.execute(sql`begin`)
    let result: T
    try {
      result = await work(orm)
    } catch (error) {
      if (isConnectionFailure(error) || connection.isLost()) throw error
      await orm.execute(sql`rollback`).catch(connection.destroy)
      throw error
    }
    try {
      await orm.execute(sql`commit`)
    } catch (error) {
      connection.destroy()
      throw error
    }
    return result
  }

  return {
    run: async work => await slots.run(async () => await withConnection(async ({ orm }) => await work(orm))),
    transaction: async work => await slots.run(async () => await withConnection(async connection => await inTransaction(connection, work))),
    async close () {
      closed = true
      await Promise.all(idle.splice(0).map(async ({ connection }) => { await connection.close() }))
    }
  }
}

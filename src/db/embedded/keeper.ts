import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import type { AdminConnection } from './admin-connection.ts'
import type { EmbeddedLog } from './log.ts'

/** Holds this process's share of the server until it is stopped. */
export interface Keeper {
  /** Ends the watch and hands over the connection, `undefined` while it is lost. */
  stop (): Promise<AdminConnection | undefined>
}

/**
 * Watches the connection that carries the shared lock. When it is lost (the server crashed, or an operator restarted
 * it), `rejoin` is called until it succeeds, with pauses from 0.1 to 5 s; it also starts a server that is gone.
 */
export function keep (first: AdminConnection, rejoin: () => Promise<AdminConnection>, log: EmbeddedLog): Keeper {
  const stopping = new AbortController()
  const stopped = once(stopping.signal, 'abort')

  async function rejoinPatiently (): Promise<AdminConnection | undefined> {
    for (let pause = 100; !stopping.signal.aborted; pause = Math.min(2 * pause, 5_000)) {
      try {
        return await rejoin()
      } catch (err) {
        log.warn({ err }, 'the embedded PostgreSQL is not reachable; trying again')
        await Promise.race([delay(pause, undefined, { ref: false }), stopped])
      }
    }
  }

  async function watch (): Promise<AdminConnection | undefined> {
    let connection: AdminConnection | undefined = first
    while (connection !== undefined) {
      await Promise.race([connection.closed, stopped])
      if (stopping.signal.aborted) return connection
      log.warn({}, 'lost the connection to the embedded PostgreSQL')
      await connection.sql.end({ timeout: 0 })
      connection = await rejoinPatiently()
      if (connection !== undefined) log.info({}, 'connected to the embedded PostgreSQL again')
    }
    return undefined
  }

  const watching = watch()
  return {
    stop: async () => {
      stopping.abort()
      return await watching
    }
  }
}

import postgres from 'postgres'
import { clientSettings, type DatabaseLocation } from './client.ts'
import { revocationChannel } from './revocations.ts'

export interface ListenerOptions {
  location: DatabaseLocation
  connectTimeoutSeconds: number
  /** Gives up what is under way, once it aborts. */
  signal: AbortSignal
  onNotification: (payload: string) => void
  /** The connection went away by itself; told once. */
  onLost: () => void
}

/** A connection that hears what is told to every instance. */
export interface Listener {
  /** Ends it; `onLost` is not told. */
  close(): void
}

/** Opens such a connection. It never connects again by itself: what was told meanwhile would be missed without a word. */
export type Listen = (handlers: Pick<ListenerOptions, 'signal' | 'onNotification' | 'onLost'>) => Promise<Listener>

/**
 * Connects and listens. It must reach PostgreSQL directly: PgBouncer's transaction pooling takes LISTEN and then hears
 * nothing. Rejects where that fails or takes too long.
 */
export async function openListener ({ location, connectTimeoutSeconds, signal, onNotification, onLost }: ListenerOptions): Promise<Listener> {
  let over = false
  const settings = {
    ...clientSettings(connectTimeoutSeconds),
    keep_alive: 10,
    connection: { application_name: 'auth-serve listener' },
    onnotify: (_channel: string, payload: string) => { if (!over) onNotification(payload) },
    onclose () {
      if (over) return
      over = true
      onLost()
    }
  }
  const client = 'url' in location ? postgres(location.url, settings) : postgres({ ...location, ...settings })
  const close = (): void => {
    over = true
    client.end({ timeout: 0 }).catch(() => {})
  }
  // A server that lets one in and then says nothing, or hangs up without a word, would be waited for without an end.
  const timer = setTimeout(close, connectTimeoutSeconds * 1000 + 1000)
  signal.addEventListener('abort', close, { once: true })
  try {
    await client.unsafe(`listen ${revocationChannel}`)
  } catch (error) {
    close()
    throw error
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', close)
  }
  return { close }
}

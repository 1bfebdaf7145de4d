import { setTimeout as delay } from 'node:timers/promises'
import type { Listen, Listener } from '../db/listener.ts'
import type { Revocation, RevocationStore } from '../db/revocations.ts'
import { CodedError } from '../errors.ts'
import type { DatabaseClock } from '../keys/database-clock.ts'
import { linkAbort } from '../linked-abort.ts'
import { createHeartbeats, DeafError } from './heartbeats.ts'
import { heartbeatPayload, parseNotification } from './notification.ts'
import { createRevocationSet, type RevocationSet, type TokenStanding, type TokenSubject } from './revocation-set.ts'

export interface RevocationFeedOptions {
  store: Pick<RevocationStore, 'listLive' | 'beat'>
  listen: Listen
  clock: DatabaseClock
  /** Seconds for which the feed may be unsure before nothing is judged any more. */
  maxStalenessSeconds: number
  /** Sessions and users that it holds in memory. */
  maxEntries: number
  heartbeatMs: number
  rereadMs: number
  /** Told that keys changed, and at each full reading, in case that was missed. */
  onKeysChanged: () => void
  log: { debug(details: object, message: string): void, info(details: object, message: string): void, warn(details: object, message: string): void }
}

/** How the feed stands: whether it can judge (`fresh`), and for how many seconds it has not heard anything new; null before the first load. */
export interface RevocationFeedState { loaded: boolean, fresh: boolean, stalenessSeconds: number | null, entries: number, full: boolean, connections: number }

/** Knows which access tokens were revoked, on every instance within moments, without asking the database for each. */
export interface RevocationFeed {
  readonly set: RevocationSet
  /** Judges a token. Throws CodedError SERVICE_UNAVAILABLE before the first load, and once the feed is too stale to tell. */
  judge(subject: TokenSubject): TokenStanding
  /** What this instance itself has just committed. */
  add(revocations: readonly Revocation[]): void
  /** Resolves while it can judge, with how stale it is; throws otherwise. */
  check(): RevocationFeedState
  /** Resolves once everything was read for the first time, or after this many milliseconds. */
  loaded(timeoutMs: number): Promise<void>
  state(): RevocationFeedState
  close(): Promise<void>
}

/** Rows of one page of a full reading. */
const pageSize = 5000
/** Milliseconds before the next try to connect; it doubles up to the second. */
const [firstRetryMs, lastRetryMs] = [100, 1000]

const deafMessage = 'the listening connection hears nothing: DATABASE_LISTEN_URL (database.listenUrl) must lead to the same database as DATABASE_URL, and directly, not through a pooler'

const tooStale = () => new CodedError('SERVICE_UNAVAILABLE', 'Whether the token was revoked cannot be known at this moment; try again.', { retryAfterSeconds: 1 })

/**
 * Follows the revocations of the database. It listens first, then reads everything, so that nothing falls between; what
 * is told meanwhile is added at once, since the set does not care for order. A heartbeat goes out by the pool and must come back on the
 * listening connection, which finds half-open sockets, poolers that swallow notifications, and a listener on another
 * database. All is read again from time to time and after each new connection.
 */
export function startRevocationFeed (options: RevocationFeedOptions): RevocationFeed {
  const { store, clock, log, heartbeatMs } = options
  /** Often enough that a single late heartbeat does not make the feed too stale. */
  const intervalMs = Math.min(heartbeatMs, options.rereadMs, options.maxStalenessSeconds * 1000 / 4)
  const set = createRevocationSet(options.maxEntries)
  const closing = new AbortController()
  const pause = async (ms: number): Promise<void> => { await delay(ms, undefined, { signal: closing.signal, ref: false }).catch(() => {}) }
  /** Monotonic milliseconds up to which everything that was committed is known; undefined before the first load. */
  let freshAt: number | undefined
  let connections = 0

  const stalenessSeconds = (): number | null => freshAt === undefined ? null : Math.max(0, performance.now() - freshAt) / 1000
  const isFresh = (): boolean => (stalenessSeconds() ?? Infinity) <= options.maxStalenessSeconds
  function requireFresh (): void {
    if (!isFresh()) throw tooStale()
  }

  /** What an outage shows itself by is told once, however many tries it takes. */
  const complaints = new Set<string>()
  function complain (error: unknown, message: string): void {
    log[complaints.has(message) ? 'debug' : 'warn']({ err: error, stalenessSeconds: stalenessSeconds() }, message)
    complaints.add(message)
  }

  async function readAll (): Promise<void> {
    set.prune(clock.now())
    const reading = set.beginReading()
    let after: string | undefined
    do {
      const { items, now } = await store.listLive(after, pageSize)
      clock.sync(now)
      set.add(items)
      after = items.length < pageSize || reading.isOverfull ? undefined : items.at(-1)?.subjectId
    } while (after !== undefined && !closing.signal.aborted)
    reading.end()
  }

  /** Listens until the connection is lost, or hears nothing any more. */
  async function follow (): Promise<void> {
    const stop = linkAbort(closing.signal)
    const heartbeats = createHeartbeats({
      send: async nonce => { clock.sync(await store.beat(heartbeatPayload(nonce))) },
      patienceMs: heartbeatMs
    })
    let listener: Listener | undefined
    let readAt: number | undefined
    try {
      listener = await options.listen({
        signal: stop.signal,
        onLost: () => { stop.abort(new Error('the listening connection was lost')) },
        onNotification (payload) {
          const notification = parseNotification(payload)
          if (notification?.about === 'revocation') set.add([notification.revocation])
          else if (notification?.about === 'keys') options.onKeysChanged()
          else if (notification?.about === 'heartbeat') heartbeats.hear(notification.nonce)
        }
      })
      connections++
      while (!stop.signal.aborted) {
        try {
          const sentAt = await heartbeats.beat(stop.signal)
          if (readAt !== undefined) freshAt = sentAt
          if (readAt === undefined || sentAt - readAt >= options.rereadMs) {
            await readAll()
            readAt = freshAt = sentAt
            announceLoaded()
            if (complaints.size > 0) log.info({ entries: set.size }, 'the revocation feed is complete again')
            complaints.clear()
            options.onKeysChanged()
          }
        } catch (error) {
          // While the database does not answer, the connection may still hear what others tell.
          if (stop.signal.aborted || error instanceof DeafError) throw error
          complain(error, 'the revocations could not be read; trying again')
        }
        await delay(readAt === undefined ? firstRetryMs : intervalMs, undefined, { signal: stop.signal, ref: false })
      }
    } catch (error) {
      throw stop.signal.aborted ? stop.signal.reason : error
    } finally {
      stop.release()
      stop.abort()
      listener?.close()
    }
  }

  async function run (): Promise<void> {
    let retryMs = firstRetryMs
    while (!closing.signal.aborted) {
      const before = freshAt
      try {
        await follow()
      } catch (error) {
        if (closing.signal.aborted) return
        complain(error, error instanceof DeafError ? deafMessage : 'the revocation feed is interrupted; connecting again')
      }
      retryMs = freshAt === before ? Math.min(retryMs * 2, lastRetryMs) : firstRetryMs
      await pause(retryMs)
    }
  }

  const state = (): RevocationFeedState =>
    ({ loaded: freshAt !== undefined, fresh: isFresh(), stalenessSeconds: stalenessSeconds(), entries: set.size, full: set.isFull, connections })
  let announceLoaded = (): void => {}
  const loading = new Promise<void>(resolve => { announceLoaded = resolve })
  const running = run()
  return {
    set,
    add: revocations => { set.add(revocations) },
    judge (subject) {
      requireFresh()
      return set.judge(subject)
    },
    check () {
      requireFresh()
      return state()
    },
    async loaded (timeoutMs) {
      const waited = new AbortController()
      await Promise.race([loading, delay(timeoutMs, undefined, { signal: AbortSignal.any([closing.signal, waited.signal]) }).catch(() => {})])
      waited.abort()
    },
    state,
    async close () {
      closing.abort()
      await running
    }
  }
}

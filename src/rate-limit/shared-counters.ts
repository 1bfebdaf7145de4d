import { Redis } from 'ioredis'

/** What is told of an outage and its end. */
export interface OutageLog {
  warn(fields: object, message: string): void
  info(fields: object, message: string): void
}

export interface SharedCountersOptions {
  /** redis:// or rediss:// */
  url: string
  /** Where the probe writes. */
  keyPrefix: string
  /** Milliseconds that connecting and each command may take. */
  timeoutMs: number
  /** Milliseconds between two tries to reach a lost Redis. */
  probeIntervalMs: number
  log: OutageLog
}

/** A connection to Redis that is used only while it works. */
export interface SharedCounters {
  readonly client: Redis
  isUp(): boolean
  /** The result of `work`, or undefined while Redis is lost; a failure of `work` counts as losing it. */
  attempt<T>(work: () => Promise<T>): Promise<T | undefined>
  close(): void
}

/**
 * Connects to Redis, and comes back whether or not that succeeds. A failing command costs one caller `timeoutMs`; after
 * it nobody waits for Redis until a probe, which writes because a replica or a full server answers a ping, got through.
 */
export async function openSharedCounters ({ url, keyPrefix, timeoutMs, probeIntervalMs, log }: SharedCountersOptions): Promise<SharedCounters> {
  const client = new Redis(url, {
    lazyConnect: true,
    connectTimeout: timeoutMs,
    commandTimeout: timeoutMs,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    retryStrategy: () => probeIntervalMs
  })
  let up = false
  let told = false
  let closed = false

  function lost (err: unknown): void {
    up = false
    if (told || closed) return
    told = true
    // Only its text: the errors of ioredis carry the command with its arguments, the password of AUTH among them.
    log.warn({ reason: err instanceof Error ? err.message : 'unknown' }, 'Redis is lost: requests are counted by this process alone')
  }
  async function probe (): Promise<void> {
    if (up || closed) return
    try {
      await client.set(`${keyPrefix}probe`, '1', 'PX', 1000)
    } catch (error) {
      lost(error)
      return
    }
    up = true
    if (!told) return
    told = false
    log.info({}, 'Redis is back: requests are counted together again')
  }

  client.on('error', lost)
  client.on('close', () => { lost(new Error('the connection to Redis closed')) })
  await client.connect().then(probe, lost)
  const timer = setInterval(() => { probe().catch(lost) }, probeIntervalMs).unref()
  return {
    client,
    isUp: () => up,
    async attempt (work) {
      if (!up) return undefined
      try {
        return await work()
      } catch (error) {
        lost(error)
        return undefined
      }
    },
    close () {
      closed = true
      clearInterval(timer)
      client.disconnect()
    }
  }
}

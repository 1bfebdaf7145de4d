import { byItself, type Audit, type RecordEvent } from '../audit/audit.ts'
import type { LockName } from '../db/locks.ts'
import type { Stores } from '../db/stores.ts'
import { CodedError } from '../errors.ts'

/** Work in the background that one instance at a time does. */
export interface MaintenanceJob {
  /** For the log. */
  name: string
  /**
   * Does one batch, in a transaction that holds the lock of these jobs; it must be short, and use nothing but these
   * stores. Events that it records are written with it. Answers whether it is to be called again at once, for more.
   */
  run(stores: Stores, record: RecordEvent): Promise<boolean>
  /** Told in each round once the job has been done and its batches are committed. */
  onDone?(): void
}

export interface MaintenanceOptions {
  audit: Audit
  /** Who has it does the jobs. */
  lock?: LockName
  /** Whether there are tables to work on. */
  isSchemaReady: () => boolean
  /** Whether a job failed only because others held what it needed. */
  isContended: (error: unknown) => boolean
  /** Milliseconds between two rounds, on average. */
  intervalMs: number
  /** Batches of one job in one round. */
  maxBatches: number
  log: { debug(details: object, message: string): void, info(details: object, message: string): void, warn(details: object, message: string): void }
}

/** The background jobs of the service, in rounds. */
export interface Maintenance {
  add(job: MaintenanceJob): void
  /** Does a round now, or waits for the one that is under way. Never throws: failures are logged. */
  run(): Promise<void>
  /** Starts no more batches; resolves once the last one is over. */
  close(): Promise<void>
}

/** How much earlier or later than on average a round may begin, so that instances do not keep step. */
const jitter = 0.2

/**
 * Does the jobs one after another, a transaction for each batch, and each only while it has the lock: an instance that
 * finds it taken leaves the round to the one that has it.
 */
export function startMaintenance ({ audit, lock = 'maintenance', log, ...options }: MaintenanceOptions): Maintenance {
  const jobs: MaintenanceJob[] = []
  /** The jobs that failed last time, so that an outage is told once. */
  const failing = new Set<string>()
  const closing = new AbortController()
  let timer: NodeJS.Timeout | undefined
  let running: Promise<void> | undefined

  /** Undefined where another instance is at work. */
  async function runBatch (job: MaintenanceJob): Promise<boolean | undefined> {
    return await audit.transaction(byItself, async (stores, record) =>
      await stores.locks.tryTake(lock) ? await job.run(stores, record) : undefined)
  }

  /** Answers false where the round is over. */
  async function runJob (job: MaintenanceJob): Promise<boolean> {
    for (let batch = 0; batch < options.maxBatches && !closing.signal.aborted; batch++) {
      const more = await runBatch(job)
      if (more === undefined) return false
      if (!more) break
    }
    job.onDone?.()
    return true
  }

  async function round (): Promise<void> {
    if (!options.isSchemaReady()) return
    for (const job of [...jobs]) {
      try {
        if (!await runJob(job)) return
        if (failing.delete(job.name)) log.info({ job: job.name }, 'a maintenance job works again')
      } catch (error) {
        log[failing.has(job.name) ? 'debug' : 'warn']({ err: error, job: job.name }, 'a maintenance job failed; trying again')
        failing.add(job.name)
        // Without the database no other job would fare better; a lock that this one did not get is nothing to the others.
        if (error instanceof CodedError && error.code === 'SERVICE_UNAVAILABLE' && !options.isContended(error)) return
      }
    }
  }

  async function run (): Promise<void> {
    running ??= round().finally(() => { running = undefined })
    await running
  }

  function schedule (): void {
    const delayMs = options.intervalMs * (1 - jitter + 2 * jitter * Math.random())
    timer = setTimeout(() => { run().finally(() => { if (!closing.signal.aborted) schedule() }) }, delayMs).unref()
  }

  schedule()
  return {
    add: job => { jobs.push(job) },
    run,
    async close () {
      closing.abort()
      clearTimeout(timer)
      await running
    }
  }
}

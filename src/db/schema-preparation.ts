import { setTimeout as delay } from 'node:timers/promises'
import { createAuditMonthStore } from './audit-months.ts'
import type { DatabaseLocation } from './client.ts'
import { isOutage } from './failures.ts'
import { migrateUp, migrationStatus } from './migrations.ts'
import { createSinglePool, type Pool } from './pool.ts'

export interface SchemaPreparationOptions {
  location: DatabaseLocation
  /** Apply what is missing; false only waits until somebody else has. */
  migrate: boolean
  connectTimeoutSeconds: number
  retryMs: number
  /** Told after each try that left the schema missing. */
  onWaiting: () => void
  log: { info(details: object, message: string): void, warn(details: object, message: string): void }
  signal: AbortSignal
}

/**
 * The trail needs this month before anything can be written to it, also where nothing ran for longer than months were made
 * ahead. Where others make them the role may lack the right to; what is missing then is told again by maintenance.
 */
async function makeAuditMonths (pool: Pool, log: SchemaPreparationOptions['log']): Promise<void> {
  try {
    await createAuditMonthStore(async query => await pool.transaction(query)).makeAhead()
  } catch (error) {
    if (isOutage(error)) throw error
    log.warn({ err: error }, 'months of the audit trail could not be made')
  }
}

async function prepareOnce ({ location, migrate, connectTimeoutSeconds, log }: SchemaPreparationOptions): Promise<boolean> {
  const pool = createSinglePool(location, connectTimeoutSeconds)
  try {
    if (migrate) {
      const applied = await migrateUp(pool)
      if (applied.length > 0) log.info({ migrations: applied }, 'database migrated')
      await makeAuditMonths(pool, log)
      return true
    }
    const pending = (await migrationStatus(pool)).filter(migration => !migration.applied).map(migration => migration.name)
    if (pending.length > 0) log.warn({ migrations: pending }, 'the database lacks migrations; run "auth-serve migrate up"')
    if (pending.length > 0) return false
    await makeAuditMonths(pool, log)
    return true
  } finally {
    await pool.close()
  }
}

/**
 * Brings the schema to this release and waits for a database that is away, so that the service lives through a start
 * without one. Resolves true once the schema is there, false when `signal` aborts; rejects what only a person can mend.
 */
export async function prepareSchema (options: SchemaPreparationOptions): Promise<boolean> {
  while (!options.signal.aborted) {
    try {
      if (await prepareOnce(options)) return true
    } catch (error) {
      if (!isOutage(error)) throw error
      options.log.warn({ err: error }, 'the database cannot be reached; trying again')
    }
    options.onWaiting()
    await delay(options.retryMs, undefined, { signal: options.signal, ref: false }).catch(() => {})
  }
  return false
}

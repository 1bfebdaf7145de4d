import type { SealHead } from '../db/audit-seals.ts'
import type { Stores } from '../db/stores.ts'
import type { Secrets } from '../keys/secrets.ts'
import type { MaintenanceJob } from '../maintenance/maintenance.ts'
import { appendSeal, monthOf, sealBatch } from './seal.ts'

interface Log { info(details: object, message: string): void, error(details: object, message: string): void }

/** How the head of the chain is written where it is kept elsewhere: `<sequence>:<MAC in hex>`, which no scrubber of logs takes for a token. */
export const writeHead = ({ sequence, mac }: SealHead): string => `${sequence}:${mac.toString('hex')}`

const holds = async ({ auditSeals }: Stores, { sequence, mac }: SealHead): Promise<boolean> => (await auditSeals.macOf(sequence))?.equals(mac) === true

/**
 * Seals what waits, and says in the log where the chain ends now: whoever keeps the log elsewhere can tell when its end was
 * cut off. Itself it tells what was cut off since it last sealed: it would seal anew whatever was put into the queue.
 */
export function createSealJob ({ secrets, batchSize, log }: { secrets: Secrets, batchSize: number, log: Log }): MaintenanceJob {
  let head: SealHead | undefined
  /** The last one that is known to be committed. */
  let known: SealHead | undefined
  let missing = 0
  return {
    name: 'seal-audit-trail',
    async run (stores) {
      // The batch before may not have been committed.
      if (head !== undefined && !await holds(stores, head)) head = undefined
      if (known !== undefined && !await holds(stores, known)) {
        log.error({ auditHead: writeHead(known) }, 'the end of the audit trail was cut off, or the database set back: its seals are not those that were made')
        known = undefined
      }
      const batch = await sealBatch(stores, secrets, batchSize)
      head = batch.head ?? head
      missing += batch.missing
      return batch.more
    },
    onDone () {
      if (missing > 0) log.error({ missing }, 'events were removed from the audit trail before they were sealed')
      if (head !== undefined) log.info({ auditHead: writeHead(head) }, 'audit trail sealed')
      known = head ?? known
      head = undefined
      missing = 0
    }
  }
}

/**
 * Jobs that make months of the trail ahead of time, and drop those that ended more than `retentionDays` ago (0 keeps all):
 * whole, only when nothing of them waits to be sealed, and with a seal that says so.
 */
export function createMonthJobs ({ secrets, retentionDays }: { secrets: Secrets, retentionDays: number }): MaintenanceJob[] {
  const make: MaintenanceJob = {
    name: 'make-audit-months',
    async run (stores) {
      await stores.auditMonths.makeAhead()
      return false
    }
  }
  const drop: MaintenanceJob = {
    name: 'drop-audit-months',
    async run (stores, record) {
      const month = await stores.auditMonths.findOldestEnded(retentionDays)
      if (month === undefined || !await stores.locks.tryTake('audit-sealing') || await stores.auditSeals.isUnsealedBefore(month.endsAt)) return false
      await stores.auditMonths.drop(month)
      await appendSeal(stores, secrets, { kind: 'retention', eventIds: [], since: null, until: month.endsAt, eventMacs: Buffer.alloc(0) })
      record({ type: 'authz_admin', outcome: 'success', details: { action: 'audit_month_dropped', month: monthOf(new Date(month.endsAt.getTime() - 1)) } })
      return true
    }
  }
  return retentionDays === 0 ? [make] : [make, drop]
}

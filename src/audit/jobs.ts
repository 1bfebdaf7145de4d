import type { SealHead } from '../db/audit-seals.ts'
import type { Secrets } from '../keys/secrets.ts'
import type { MaintenanceJob } from '../maintenance/maintenance.ts'
import { appendSeal, monthOf, sealBatch } from './seal.ts'

interface Log { info(details: object, message: string): void, error(details: object, message: string): void }

/** How the head of the chain is written where it is kept elsewhere: `<sequence>:<MAC in hex>`, which no scrubber of logs takes for a token. */
export const writeHead = ({ sequence, mac }: SealHead): string => `${sequence}:${mac.toString('hex')}`

/** Seals what waits, and says in the log where the chain ends now: whoever keeps the log elsewhere can tell when its end was cut off. */
export function createSealJob ({ secrets, batchSize, log }: { secrets: Secrets, batchSize: number, log: Log }): MaintenanceJob {
  let head: SealHead | undefined
  let missing = 0
  return {
    name: 'seal-audit-trail',
    async run (stores) {
      const batch = await sealBatch(stores, secrets, batchSize)
      head = batch.head ?? head
      missing += batch.missing
      return batch.more
    },
    onDone () {
      if (missing > 0) log.error({ missing }, 'events were removed from the audit trail before they were sealed')
      if (head !== undefined) log.info({ auditHead: writeHead(head) }, 'audit trail sealed')
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

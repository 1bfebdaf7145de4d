import type { MaintenanceJob } from '../maintenance/maintenance.ts'

/** Rows that are removed in one transaction. */
const limit = 200

export interface MailRetention {
  /** Days for which sent mails and dead letters are kept. */
  retentionDays: number
  /** Seconds for which a mail is tried. */
  retrySeconds: number
}

/** Jobs that remove mails that are old, and tokens and cooldowns that are over. */
export function createMailPurgeJobs ({ retentionDays, retrySeconds }: MailRetention): MaintenanceJob[] {
  return [
    { name: 'purge-outbox', run: async stores => await stores.outbox.purge({ retentionDays, limit }) === limit },
    { name: 'purge-mail-cooldowns', run: async stores => await stores.outbox.purgeCooldowns(limit) === limit },
    // As long as its mail is tried a token may come to life again, and one that is gone was used or superseded.
    { name: 'purge-action-tokens', run: async stores => await stores.actionTokens.purge({ expiredForSeconds: retrySeconds, limit }) === limit }
  ]
}

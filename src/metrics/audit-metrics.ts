import type { Registry } from 'prom-client'
import type { AuditSealStore } from '../db/audit-seals.ts'
import { addAskedGauge } from './read-at-scrape.ts'
import { createScrapedSummary } from './scraped-summary.ts'

/** Adds the metric of sealing to a registry; docs/guides/metrics.md lists it. */
export function addAuditMetrics (registry: Registry, { auditSeals }: { auditSeals: Pick<AuditSealStore, 'oldestUnsealedSeconds'> }): void {
  const ask = createScrapedSummary(async () => await auditSeals.oldestUnsealedSeconds())
  addAskedGauge(registry, {
    name: 'auth_serve_audit_oldest_unsealed_seconds',
    help: 'For how long the oldest event that is not sealed has waited, 0 where none waits; absent while the database does not answer',
    ask: async () => [{ value: await ask() }]
  })
}

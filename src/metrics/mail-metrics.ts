import type { Registry } from 'prom-client'
import type { OutboxStore } from '../db/outbox.ts'
import type { Delivery } from '../mail/deliver.ts'
import { addAskedGauge, addCounter } from './read-at-scrape.ts'
import { createScrapedSummary } from './scraped-summary.ts'

export interface MailMetricsSources {
  outbox: Pick<OutboxStore, 'summary'>
  mail: { tries: () => Record<Delivery['outcome'], number> }
}

/** Adds the metrics of the outbox to a registry; docs/guides/metrics.md lists them. */
export function addMailMetrics (registry: Registry, { outbox, mail }: MailMetricsSources): void {
  const ask = createScrapedSummary(async () => await outbox.summary())
  addAskedGauge(registry, {
    name: 'auth_serve_outbox_mails',
    help: 'Mails that wait and dead letters, of all instances; absent while the database does not answer',
    labelNames: ['status'],
    async ask () {
      const { pending, failed } = await ask()
      return [{ labels: { status: 'pending' }, value: pending }, { labels: { status: 'failed' }, value: failed }]
    }
  })
  addAskedGauge(registry, {
    name: 'auth_serve_outbox_oldest_pending_seconds',
    help: 'For how long the oldest of the waiting mails has waited, 0 where none waits; absent while the database does not answer',
    ask: async () => [{ value: (await ask()).oldestPendingSeconds ?? 0 }]
  })
  addCounter(registry, {
    name: 'auth_serve_mail_tries_total',
    help: 'Tries to send a mail in this process, by what became of them',
    labelNames: ['outcome'],
    read: () => Object.entries(mail.tries()).map(([outcome, value]) => ({ labels: { outcome }, value }))
  })
}

import type { Registry } from 'prom-client'
import type { WebhookDeliveryStore } from '../db/webhook-deliveries.ts'
import type { WebhookOutcome } from '../webhooks/deliver.ts'
import { addAskedGauge, addCounter } from './read-at-scrape.ts'
import { createScrapedSummary } from './scraped-summary.ts'

export interface WebhookMetricsSources {
  deliveries: Pick<WebhookDeliveryStore, 'summary'>
  webhooks: { tries: () => Record<WebhookOutcome['outcome'], number> }
}

/** Adds the metrics of webhooks to a registry; docs/guides/metrics.md lists them. */
export function addWebhookMetrics (registry: Registry, { deliveries, webhooks }: WebhookMetricsSources): void {
  const ask = createScrapedSummary(async () => await deliveries.summary())
  addAskedGauge(registry, {
    name: 'auth_serve_webhook_deliveries',
    help: 'Events that webhooks wait for and those that were given up, of all instances; absent while the database does not answer',
    labelNames: ['status'],
    async ask () {
      const { pending, failed } = await ask()
      return [{ labels: { status: 'pending' }, value: pending }, { labels: { status: 'failed' }, value: failed }]
    }
  })
  addAskedGauge(registry, {
    name: 'auth_serve_webhook_oldest_pending_seconds',
    help: 'Age of the oldest event that a webhook waits for, 0 where none does; absent while the database does not answer',
    ask: async () => [{ value: (await ask()).oldestPendingSeconds ?? 0 }]
  })
  addCounter(registry, {
    name: 'auth_serve_webhook_tries_total',
    help: 'Tries to deliver an event to a webhook in this process, by what became of them',
    labelNames: ['outcome'],
    read: () => Object.entries(webhooks.tries()).map(([outcome, value]) => ({ labels: { outcome }, value }))
  })
}

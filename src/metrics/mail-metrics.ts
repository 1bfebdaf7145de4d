import { setTimeout as delay } from 'node:timers/promises'
import type { Registry } from 'prom-client'
import type { OutboxStore, OutboxSummary } from '../db/outbox.ts'
import type { Delivery } from '../mail/deliver.ts'
import { addAskedGauge, addCounter } from './read-at-scrape.ts'

export interface MailMetricsSources {
  outbox: Pick<OutboxStore, 'summary'>
  mail: { tries: () => Record<Delivery['outcome'], number> }
}

/** Milliseconds that a scrape waits for the database. */
const patienceMs = 1000

/** Asks once for all that want to know in the same scrape. */
function createAsk (outbox: MailMetricsSources['outbox']): () => Promise<OutboxSummary> {
  let asking: Promise<OutboxSummary> | undefined
  async function askInTime (): Promise<OutboxSummary> {
    const waiting = new AbortController()
    const late = delay(patienceMs, undefined, { signal: waiting.signal }).then(() => { throw new Error('the database took too long') })
    try {
      return await Promise.race([outbox.summary(), late])
    } finally {
      waiting.abort()
      late.catch(() => {})
    }
  }
  return async () => await (asking ??= askInTime().finally(() => { asking = undefined }))
}

/** Adds the metrics of the outbox to a registry; docs/guides/metrics.md lists them. */
export function addMailMetrics (registry: Registry, { outbox, mail }: MailMetricsSources): void {
  const ask = createAsk(outbox)
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

import type { Secrets } from '../keys/secrets.ts'
import type { MaintenanceJob } from '../maintenance/maintenance.ts'
import type { Receivers } from './receivers.ts'
import { resealWebhook } from './secret.ts'
import { maxWebhooks } from './webhook-admin.ts'

/** Rows that are removed in one transaction. */
const limit = 200

export interface WebhookJobsOptions {
  secrets: Secrets
  receivers: Pick<Receivers, 'away'>
  /** Seconds after which a delivery that was not made is given up. */
  retrySeconds: number
  retentionDays: number
  /** Told how many deliveries were given up at once. */
  onGivenUp: (deliveries: number) => void
  onLocked: (webhookId: string) => void
}

/** Jobs that give up what receivers that are away were owed for too long, remove deliveries that are old or owed to nobody, and secrets that sign no more, and follow a change of AUTH_SECRET. */
export function createWebhookJobs ({ secrets, receivers, retrySeconds, retentionDays, onGivenUp, onLocked }: WebhookJobsOptions): MaintenanceJob[] {
  return [
    {
      // One try at a time finds out whether a receiver is back: what came meanwhile would never have its turn.
      name: 'give-up-webhook-deliveries',
      async run ({ webhookDeliveries }) {
        const webhookIds = receivers.away()
        if (webhookIds.length === 0) return false
        const count = await webhookDeliveries.giveUp({ webhookIds, dueSeconds: retrySeconds, error: 'the receiver was away', limit })
        if (count > 0) onGivenUp(count)
        return count === limit
      }
    },
    { name: 'purge-webhook-deliveries', run: async ({ webhookDeliveries }) => await webhookDeliveries.purge({ retentionDays, limit }) === limit },
    {
      name: 'drop-webhook-deliveries',
      async run ({ webhooks, webhookDeliveries }) {
        const owed = await webhookDeliveries.listOwed()
        const active = await webhooks.findActive(owed)
        const dropped = owed.filter(id => !active.has(id))
        return dropped.length > 0 && await webhookDeliveries.drop(dropped, limit) === limit
      }
    },
    {
      name: 'keep-webhook-secrets',
      async run ({ webhooks }) {
        await webhooks.forgetPreviousSecrets()
        for (const webhook of await webhooks.list({ after: undefined, limit: maxWebhooks })) {
          try {
            const sealed = resealWebhook(secrets, webhook)
            if (sealed !== undefined) await webhooks.reseal(webhook, sealed)
          } catch {
            onLocked(webhook.id)
          }
        }
        return false
      }
    }
  ]
}

import type { Secrets } from '../keys/secrets.ts'
import type { MaintenanceJob } from '../maintenance/maintenance.ts'
import { resealWebhook } from './secret.ts'
import { maxWebhooks } from './webhook-admin.ts'

/** Rows that are removed in one transaction. */
const limit = 200

/** Jobs that remove deliveries that are old or owed to nobody, and secrets that sign no more, and follow a change of AUTH_SECRET. */
export function createWebhookJobs ({ secrets, retentionDays, onLocked }: { secrets: Secrets, retentionDays: number, onLocked: (webhookId: string) => void }): MaintenanceJob[] {
  return [
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

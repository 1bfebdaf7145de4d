import { Type } from '@sinclair/typebox'
import { v7 as uuidv7 } from 'uuid'
import type { Audit, RequestContext } from '../audit/audit.ts'
import type { Database, Stores } from '../db/stores.ts'
import type { DeliveryRow } from '../db/webhook-deliveries.ts'
import type { WebhookRow } from '../db/webhooks.ts'
import { CodedError } from '../errors.ts'
import type { Secrets } from '../keys/secrets.ts'
import { createCursors } from '../pagination/cursor.ts'
import { toPage } from '../pagination/to-page.ts'
import type { WebhookDelivery, WebhookDeliveryQuery } from '../schemas/webhook.ts'
import type { Principal } from '../sessions/authenticate.ts'
import { webhookEvent, webhookNotFound } from './webhook-event.ts'

/** What administrators do with what webhooks are owed. Each of these throws CodedError NOT_FOUND where there is no such webhook. */
export interface DeliveryAdmin {
  /** One page, newest first. Throws CodedError INVALID_INPUT for a cursor that is not of this list. */
  listDeliveries(id: string, query: WebhookDeliveryQuery): Promise<{ items: WebhookDelivery[], nextCursor: string | null }>
  /** Has an event sent at once, and tried for as long as a new one, also one that was delivered. Throws CodedError NOT_FOUND where none such is listed, CONFLICT for a webhook that is not active. */
  retryDelivery(id: string, eventId: string, principal: Principal, context: RequestContext): Promise<void>
  /** Sends an event that says so, whatever types were asked for. Throws CodedError CONFLICT for a webhook that is not active. */
  test(id: string, principal: Principal, context: RequestContext): Promise<{ eventId: string }>
}

export interface DeliveryAdminDependencies {
  database: Database
  audit: Audit
  secrets: Secrets
  /** Told that there is something to send. */
  onDue: () => void
}

const toDelivery = (row: DeliveryRow): WebhookDelivery => ({
  eventId: row.eventId,
  eventType: row.eventType,
  occurredAt: row.occurredAt.toISOString(),
  status: row.status,
  attempts: row.attempts,
  nextAttemptAt: row.status === 'pending' ? row.nextAttemptAt.toISOString() : null,
  lastStatus: row.lastStatus,
  lastError: row.lastError,
  deliveredAt: row.deliveredAt?.toISOString() ?? null
})

async function findActive ({ webhooks }: Stores, id: string): Promise<WebhookRow> {
  const webhook = await webhooks.find(id)
  if (webhook === undefined) throw webhookNotFound()
  if (!webhook.isActive) throw new CodedError('CONFLICT', 'The webhook is not active, so nothing is sent to it: set isActive first.')
  return webhook
}

export function createDeliveryAdmin ({ database, audit, secrets, onDue }: DeliveryAdminDependencies): DeliveryAdmin {
  const cursors = createCursors({ secrets, list: 'webhook-deliveries', position: Type.String() })
  return {
    async listDeliveries (id, { status, limit, cursor }) {
      const binding = [id, status ?? null]
      const after = cursor === undefined ? undefined : cursors.read(cursor, binding)
      if (await database.webhooks.find(id) === undefined) throw webhookNotFound()
      const rows = await database.webhookDeliveries.list({ webhookId: id, status, after, limit: limit + 1 })
      return toPage(rows, limit, toDelivery, row => cursors.write(row.eventId, binding))
    },
    async retryDelivery (id, eventId, principal, context) {
      await audit.transaction(context, async (stores, record) => {
        const webhook = await findActive(stores, id)
        if (!await stores.webhookDeliveries.retryNow({ webhookId: id, eventId })) throw new CodedError('NOT_FOUND', 'This webhook was never owed an event with this id, or it was too long ago.')
        record(webhookEvent(principal, 'webhook_delivery_retried', webhook, { eventId }))
      })
      onDue()
    },
    async test (id, principal, context) {
      const eventId = uuidv7()
      await audit.transaction(context, async (stores, record) => {
        const webhook = await findActive(stores, id)
        const event = webhookEvent(principal, 'webhook_tested', webhook)
        // Owed here, as its types may not name this one; then the trigger leaves it at that.
        await stores.webhookDeliveries.owe({ webhookId: id, eventId, eventType: event.type })
        record({ ...event, id: eventId })
      })
      onDue()
      return { eventId }
    }
  }
}

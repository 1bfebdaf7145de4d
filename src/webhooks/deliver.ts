import { byItself, type Audit } from '../audit/audit.ts'
import { toEvent } from '../audit/to-event.ts'
import type { Database } from '../db/stores.ts'
import type { DeliveryFailure, LeasedDelivery } from '../db/webhook-deliveries.ts'
import { CodedError } from '../errors.ts'
import type { Secrets } from '../keys/secrets.ts'
import { backOff } from '../leasing/back-off.ts'
import { describeFailure, ReceiverError } from './failure.ts'
import type { Post } from './post.ts'
import type { Receiver, Receivers } from './receivers.ts'
import { signWebhook } from './secret.ts'

/** What became of a try; `postponed` where the breaker of the receiver let none through. */
export type WebhookOutcome =
  | { outcome: 'delivered' | 'discarded' | 'postponed' }
  | { outcome: 'retried' | 'failed' | 'disabled', error: string }

/** Makes one try to deliver what is leased, and settles it. Throws what the database throws. */
export type DeliverWebhook = (lease: LeasedDelivery) => Promise<WebhookOutcome>

export interface DeliverWebhookDependencies {
  database: Database
  audit: Audit
  secrets: Secrets
  receivers: Receivers
  post: Post
  /** Seconds after which a delivery that was not made is given up. */
  retrySeconds: number
}

/** Seconds before the second try, and the longest wait between two. */
const pace = { firstSeconds: 5, capSeconds: 14_400 }
/** What is brought forward once a receiver is back. */
const afterOutage = { spreadSeconds: 10, limit: 1000 }

export function createDeliverWebhook ({ database, audit, secrets, receivers, post, retrySeconds }: DeliverWebhookDependencies): DeliverWebhook {
  /** Throws ReceiverError for an answer other than 2xx, UnsealError, and whatever `post` throws. */
  async function send ({ eventId }: LeasedDelivery, { webhook, event }: NonNullable<Awaited<ReturnType<Database['webhookDeliveries']['load']>>>): Promise<number> {
    const data = toEvent(event)
    const body = JSON.stringify({ type: data.type, timestamp: data.occurredAt, data })
    const at = new Date()
    const answer = await post(webhook.url, {
      'content-type': 'application/json',
      'user-agent': 'auth-serve',
      'webhook-id': eventId,
      'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
      'webhook-signature': signWebhook(secrets, webhook, { id: eventId, at, body })
    }, body)
    if (answer.status < 200 || answer.status > 299) throw new ReceiverError(answer)
    return answer.status
  }

  /** 410 Gone: the receiver wants no more (Standard Webhooks). */
  async function disable (lease: LeasedDelivery, failure: DeliveryFailure): Promise<void> {
    await audit.transaction(byItself, async ({ webhooks, webhookDeliveries }, record) => {
      if (!await webhookDeliveries.markFailed(lease, failure)) return
      await webhooks.update(lease.webhookId, { isActive: false })
      record({ type: 'authz_admin', outcome: 'success', details: { action: 'webhook_disabled', webhookId: lease.webhookId, reason: 'gone' } })
    })
  }

  async function recordFailure (lease: LeasedDelivery, thrown: unknown): Promise<WebhookOutcome> {
    const { retryAfterSeconds = 0, ...failure } = describeFailure(thrown)
    if (failure.status === 410) {
      await disable(lease, failure)
      return { outcome: 'disabled', error: failure.error }
    }
    const hopeless = (Date.now() - lease.retriesSince.getTime()) / 1000 >= retrySeconds
    if (hopeless) await database.webhookDeliveries.markFailed(lease, failure)
    else await database.webhookDeliveries.retryLater(lease, failure, Math.max(backOff({ attempts: lease.attempts, ...pace }), Math.min(retryAfterSeconds, pace.capSeconds)))
    return { outcome: hopeless ? 'failed' : 'retried', error: failure.error }
  }

  async function attempt (lease: LeasedDelivery, receiver: Receiver): Promise<WebhookOutcome> {
    const owed = await database.webhookDeliveries.load(lease)
    if (owed === undefined) {
      await database.webhookDeliveries.discard(lease)
      return { outcome: 'discarded' }
    }
    let tried = false
    let status: number
    try {
      status = await receiver.guard(async () => {
        tried = true
        return await send(lease, owed)
      })
    } catch (error) {
      if (tried) return await recordFailure(lease, error)
      const seconds = error instanceof CodedError ? error.retryAfterSeconds ?? 1 : 1
      receiver.pausedUntil = performance.now() + seconds * 1000
      receiver.wasAway = true
      await database.webhookDeliveries.giveBack(lease)
      return { outcome: 'postponed' }
    }
    await database.webhookDeliveries.markDelivered(lease, status)
    if (receiver.wasAway) {
      receiver.wasAway = false
      await database.webhookDeliveries.hasten({ webhookId: lease.webhookId, ...afterOutage })
    }
    return { outcome: 'delivered' }
  }

  return async lease => {
    const receiver = receivers.get(lease.webhookId)
    receiver.active++
    try {
      return await attempt(lease, receiver)
    } finally {
      receiver.active--
    }
  }
}

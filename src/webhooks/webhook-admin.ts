import { Type } from '@sinclair/typebox'
import { v7 as uuidv7 } from 'uuid'
import type { RequestContext } from '../audit/audit.ts'
import type { WebhookPatch, WebhookRow } from '../db/webhooks.ts'
import { CodedError, invalidInput } from '../errors.ts'
import { createCursors } from '../pagination/cursor.ts'
import { toPage } from '../pagination/to-page.ts'
import type { PageQuery } from '../schemas/page.ts'
import type { NewWebhookInput, Webhook, WebhookPatchInput, WebhookWithSecret } from '../schemas/webhook.ts'
import type { Principal } from '../sessions/authenticate.ts'
import { createDeliveryAdmin, type DeliveryAdmin, type DeliveryAdminDependencies } from './delivery-admin.ts'
import { createWebhookSecret, hasPreviousSecret, sealWebhookSecret } from './secret.ts'
import { problemOfTarget } from './target.ts'
import { webhookEvent, webhookNotFound } from './webhook-event.ts'

/** What administrators do with webhooks. Each of these throws CodedError NOT_FOUND where there is no such webhook. */
export interface WebhookAdmin extends DeliveryAdmin {
  /** One page, in the order of their making. Throws CodedError INVALID_INPUT for a cursor that is not of this list. */
  list(query: PageQuery): Promise<{ items: Webhook[], nextCursor: string | null }>
  read(id: string): Promise<Webhook>
  /** Throws CodedError INVALID_INPUT for a URL that events must not go to, CONFLICT where there are as many as there may be. */
  create(input: NewWebhookInput, principal: Principal, context: RequestContext): Promise<WebhookWithSecret>
  /** Throws CodedError INVALID_INPUT for a URL that events must not go to. */
  update(id: string, patch: WebhookPatchInput, principal: Principal, context: RequestContext): Promise<Webhook>
  remove(id: string, principal: Principal, context: RequestContext): Promise<void>
  /** Signs with a new secret; the one from before signs along for a while. */
  rotateSecret(id: string, principal: Principal, context: RequestContext): Promise<WebhookWithSecret>
}

export interface WebhookAdminDependencies extends DeliveryAdminDependencies {
  /** Let webhooks lead to addresses that are not public, and to http. */
  allowPrivate: boolean
  /** Seconds for which the secret from before a rotation signs, too. */
  secretGraceSeconds: number
}

/** Webhooks at most: each has a breaker in every process, and every event looks at each. */
export const maxWebhooks = 100

function toWebhook (row: WebhookRow): Webhook {
  const { id, url, description, eventTypes, isActive, previousSecretUntil, createdAt, updatedAt } = row
  return {
    id,
    url,
    description,
    eventTypes,
    isActive,
    previousSecretUntil: hasPreviousSecret(row, new Date()) ? previousSecretUntil?.toISOString() ?? null : null,
    createdAt: createdAt.toISOString(),
    updatedAt: updatedAt.toISOString()
  }
}

export function createWebhookAdmin ({ allowPrivate, secretGraceSeconds, ...deps }: WebhookAdminDependencies): WebhookAdmin {
  const { database: { webhooks: all }, audit, secrets } = deps
  const cursors = createCursors({ secrets, list: 'webhooks', position: Type.String() })

  function checkUrl (url: string | undefined): void {
    const problem = url === undefined ? undefined : problemOfTarget(url, allowPrivate)
    if (problem !== undefined) throw invalidInput([{ path: '/body/url', code: 'invalid', message: problem }])
  }

  return {
    ...createDeliveryAdmin(deps),
    async list ({ limit, cursor }) {
      const after = cursor === undefined ? undefined : cursors.read(cursor, [])
      return toPage(await all.list({ after, limit: limit + 1 }), limit, toWebhook, row => cursors.write(row.id, []))
    },
    async read (id) {
      const row = await all.find(id)
      if (row === undefined) throw webhookNotFound()
      return toWebhook(row)
    },
    async create ({ url, description = null, eventTypes = [], isActive = true }, principal, context) {
      checkUrl(url)
      const id = uuidv7()
      const secret = createWebhookSecret()
      return await audit.transaction(context, async ({ webhooks }, record) => {
        const row = await webhooks.insert({ id, url, description, eventTypes, isActive, secret: sealWebhookSecret(secrets, id, secret) }, maxWebhooks)
        if (row === undefined) throw new CodedError('CONFLICT', `There are ${maxWebhooks} webhooks, which is as many as there may be: delete one first.`)
        record(webhookEvent(principal, 'webhook_created', row))
        return { ...toWebhook(row), secret }
      })
    },
    async update (id, patch, principal, context) {
      checkUrl(patch.url)
      const changes: WebhookPatch = patch
      const changed = Object.keys(patch)
      return await audit.transaction(context, async ({ webhooks }, record) => {
        const row = changed.length === 0 ? await webhooks.find(id) : await webhooks.update(id, changes)
        if (row === undefined) throw webhookNotFound()
        if (changed.length > 0) record(webhookEvent(principal, 'webhook_updated', row, { changed }))
        return toWebhook(row)
      })
    },
    async remove (id, principal, context) {
      await audit.transaction(context, async ({ webhooks }, record) => {
        const row = await webhooks.remove(id)
        if (row === undefined) throw webhookNotFound()
        record(webhookEvent(principal, 'webhook_deleted', row))
      })
    },
    async rotateSecret (id, principal, context) {
      const secret = createWebhookSecret()
      return await audit.transaction(context, async ({ webhooks }, record) => {
        const row = await webhooks.rotateSecret(id, sealWebhookSecret(secrets, id, secret), secretGraceSeconds)
        if (row === undefined) throw webhookNotFound()
        record(webhookEvent(principal, 'webhook_secret_rotated', row))
        return { ...toWebhook(row), secret }
      })
    }
  }
}

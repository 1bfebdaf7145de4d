import { Type, type Static } from '@sinclair/typebox'
import { trailEventTypes } from './event.ts'
import { Nullable } from './nullable.ts'
import { PageQuerySchema } from './page.ts'
import { StrictObject } from './strict.ts'
import { DateTime, Text, Uuid } from './text.ts'

const webhookExample = {
  id: '0199aaaa-bbbb-7ccc-8ddd-eeeeffff0005',
  url: 'https://crm.example.com/hooks/accounts',
  description: 'Tells the CRM of new people',
  eventTypes: ['user_created' as const, 'user_deleted' as const],
  isActive: true,
  previousSecretUntil: null,
  createdAt: '2026-01-01T12:00:00.000Z',
  updatedAt: '2026-01-01T12:00:00.000Z'
}

const secretExample = 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD'

const url = Text({
  minLength: 1,
  maxLength: 2048,
  pattern: '^[Hh][Tt][Tt][Pp][Ss]?://\\S+$',
  'x-message': 'Give an https: URL such as https://crm.example.com/hooks/accounts.',
  description: 'Where events are POSTed: https, without user or fragment, at a public address (`WEBHOOK_ALLOW_PRIVATE` allows others)'
})
const description = Nullable(Text({ minLength: 1, maxLength: 200 }))
const eventTypes = Type.Array(Type.Union(trailEventTypes.map(type => Type.Literal(type))), { maxItems: trailEventTypes.length, uniqueItems: true, description: 'Types of events that it is told of; none means every one' })
const isActive = Type.Boolean({ description: 'Whether it is told of events; what happens while it is not is not made up for' })

const properties = {
  id: Uuid({ description: 'UUIDv7' }),
  url: Type.String(),
  description: Nullable(Type.String()),
  eventTypes: Type.Array(Type.String(), { description: 'None means every one' }),
  isActive: Type.Boolean(),
  previousSecretUntil: Nullable(DateTime({ description: 'Until when the secret from before the last rotation signs, too; null without one' })),
  createdAt: DateTime(),
  updatedAt: DateTime()
}

/** A webhook as administrators see it: never its secret. */
export const WebhookSchema = Type.Object(properties, { title: 'Webhook', examples: [webhookExample] })
export type Webhook = Static<typeof WebhookSchema>

/** The one answer that shows the secret. */
export const WebhookWithSecretSchema = Type.Object({
  ...properties,
  secret: Type.String({ description: 'Signs what is sent, as Standard Webhooks say; it is not shown again' })
}, { title: 'WebhookWithSecret', examples: [{ ...webhookExample, secret: secretExample }] })
export type WebhookWithSecret = Static<typeof WebhookWithSecretSchema>

export const NewWebhookSchema = StrictObject({
  url,
  description: Type.Optional(description),
  eventTypes: Type.Optional(eventTypes),
  isActive: Type.Optional(isActive)
}, { examples: [{ url: webhookExample.url, description: webhookExample.description, eventTypes: webhookExample.eventTypes }] })
export type NewWebhookInput = Static<typeof NewWebhookSchema>

export const WebhookPatchSchema = StrictObject({
  url: Type.Optional(url),
  description: Type.Optional(description),
  eventTypes: Type.Optional(eventTypes),
  isActive: Type.Optional(isActive)
}, { examples: [{ isActive: false, description: null }] })
export type WebhookPatchInput = Static<typeof WebhookPatchSchema>

export const WebhookParamsSchema = StrictObject({ id: Uuid({ description: 'Id of the webhook', examples: [webhookExample.id] }) })

const status = Type.Union([Type.Literal('pending'), Type.Literal('delivered'), Type.Literal('failed')], {
  description: '"pending" waits or is tried again, "failed" was given up: it is tried when somebody asks for it'
})

const webhookDeliveryExample = {
  eventId: '0199aaaa-bbbb-7ccc-8ddd-eeeeffff0006',
  eventType: 'user_created',
  occurredAt: '2026-01-01T12:00:00.000Z',
  status: 'pending' as const,
  attempts: 2,
  nextAttemptAt: '2026-01-01T12:00:10.000Z',
  lastStatus: 503,
  lastError: 'HTTP 503',
  deliveredAt: null
}

/** An event that a webhook was or is owed. */
export const WebhookDeliverySchema = Type.Object({
  eventId: Uuid({ description: 'Id of the event, and the header `webhook-id`' }),
  eventType: Type.String(),
  occurredAt: DateTime(),
  status,
  attempts: Type.Integer({ minimum: 0, description: 'Tries so far, or since somebody asked for it' }),
  nextAttemptAt: Nullable(DateTime({ description: 'When it is tried next; null unless it is pending' })),
  lastStatus: Nullable(Type.Integer({ description: 'Status that the receiver answered last; null where it did not answer' })),
  lastError: Nullable(Type.String({ description: 'Why the last try failed; null where it did not' })),
  deliveredAt: Nullable(DateTime())
}, { title: 'WebhookDelivery', examples: [webhookDeliveryExample] })
export type WebhookDelivery = Static<typeof WebhookDeliverySchema>

export const WebhookDeliveryQuerySchema = StrictObject({ status: Type.Optional(status), ...PageQuerySchema.properties })
export type WebhookDeliveryQuery = Static<typeof WebhookDeliveryQuerySchema>

export const WebhookDeliveryParamsSchema = StrictObject({
  ...WebhookParamsSchema.properties,
  eventId: Uuid({ description: 'Id of the event', examples: [webhookDeliveryExample.eventId] })
})

/** Which event tells of the test. */
export const WebhookTestSchema = Type.Object({
  eventId: Uuid({ description: 'Id of the event that was sent' })
}, { title: 'WebhookTest', examples: [{ eventId: webhookDeliveryExample.eventId }], 'x-response-description': 'The test event is on its way' })

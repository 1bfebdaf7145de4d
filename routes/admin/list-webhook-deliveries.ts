import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type {} from '../../plugins/webhooks.ts'
import { Page } from '../../src/schemas/page.ts'
import { WebhookDeliveryQuerySchema, WebhookDeliverySchema, WebhookParamsSchema } from '../../src/schemas/webhook.ts'

export const listWebhookDeliveriesRoute: FastifyPluginAsyncTypebox = async app => {
  app.route({
    method: 'GET',
    url: '/webhooks/:id/deliveries',
    schema: {
      operationId: 'listWebhookDeliveries',
      summary: 'List what a webhook was and is owed',
      description: 'Answers the events that the webhook waits for, got or was not to be given, newest first. Those that are over are kept for `WEBHOOK_RETENTION_DAYS`.',
      tags: ['admin'],
      params: WebhookParamsSchema,
      querystring: WebhookDeliveryQuerySchema,
      response: { 200: Page(WebhookDeliverySchema, 'A page of the deliveries') }
    },
    config: { access: 'webhooks:read', errors: ['NOT_FOUND'] },
    handler: async request => await app.authServeWebhooks.admin.listDeliveries(request.params.id, request.query)
  })
}

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type {} from '../../plugins/webhooks.ts'
import { WebhookParamsSchema, WebhookSchema } from '../../src/schemas/webhook.ts'

export const readWebhookRoute: FastifyPluginAsyncTypebox = async app => {
  app.route({
    method: 'GET',
    url: '/webhooks/:id',
    schema: {
      operationId: 'readWebhook',
      summary: 'Read a webhook',
      description: 'Answers one of the programs that are told of events, without its secret.',
      tags: ['admin'],
      params: WebhookParamsSchema,
      response: { 200: { ...WebhookSchema, 'x-response-description': 'The webhook' } }
    },
    config: { access: 'webhooks:read', errors: ['NOT_FOUND'] },
    handler: async request => await app.authServeWebhooks.admin.read(request.params.id)
  })
}

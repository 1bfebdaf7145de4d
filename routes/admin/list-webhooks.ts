import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type {} from '../../plugins/webhooks.ts'
import { Page, PageQuerySchema } from '../../src/schemas/page.ts'
import { WebhookSchema } from '../../src/schemas/webhook.ts'

export const listWebhooksRoute: FastifyPluginAsyncTypebox = async app => {
  app.route({
    method: 'GET',
    url: '/webhooks',
    schema: {
      operationId: 'listWebhooks',
      summary: 'List the webhooks',
      description: 'Answers the programs that are told of events, in the order of their making, without their secrets.',
      tags: ['admin'],
      querystring: PageQuerySchema,
      response: { 200: Page(WebhookSchema, 'A page of the webhooks') }
    },
    config: { access: 'webhooks:read' },
    handler: async request => await app.authServeWebhooks.admin.list(request.query)
  })
}

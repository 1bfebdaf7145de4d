import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type {} from '../../plugins/auth.ts'
import type {} from '../../plugins/use-cases.ts'
import type {} from '../../plugins/webhooks.ts'
import { WebhookParamsSchema, WebhookTestSchema } from '../../src/schemas/webhook.ts'

export const testWebhookRoute: FastifyPluginAsyncTypebox = async app => {
  app.route({
    method: 'POST',
    url: '/webhooks/:id/test',
    schema: {
      operationId: 'testWebhook',
      summary: 'Send a test event',
      description: 'Sends an event `authz_admin` whose `details.action` is `webhook_tested`, whatever types the webhook asked for. What became of it is listed among its deliveries. 409 for a webhook that is not active.',
      tags: ['admin'],
      params: WebhookParamsSchema,
      response: { 202: WebhookTestSchema }
    },
    config: { access: 'webhooks:write', errors: ['NOT_FOUND', 'CONFLICT'] },
    handler: async (request, reply) => {
      const test = await app.authServeWebhooks.admin.test(request.params.id, app.authServeAuth.principal(request), app.authServe.contextOf(request))
      return await reply.code(202).send(test)
    }
  })
}

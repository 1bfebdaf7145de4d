import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import type {} from '../../plugins/auth.ts'
import type {} from '../../plugins/use-cases.ts'
import type {} from '../../plugins/webhooks.ts'
import { WebhookParamsSchema } from '../../src/schemas/webhook.ts'

export const deleteWebhookRoute: FastifyPluginAsyncTypebox = async app => {
  app.route({
    method: 'DELETE',
    url: '/webhooks/:id',
    schema: {
      operationId: 'deleteWebhook',
      summary: 'Delete a webhook',
      description: 'Nothing more is sent to it, and what it is still owed is dropped.',
      tags: ['admin'],
      params: WebhookParamsSchema,
      response: { 204: Type.Null({ description: 'The webhook is gone' }) }
    },
    config: { access: 'webhooks:write', errors: ['NOT_FOUND'] },
    handler: async (request, reply) => {
      await app.authServeWebhooks.admin.remove(request.params.id, app.authServeAuth.principal(request), app.authServe.contextOf(request))
      return await reply.code(204).send(null)
    }
  })
}

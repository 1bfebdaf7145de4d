import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type {} from '../../plugins/auth.ts'
import type {} from '../../plugins/use-cases.ts'
import type {} from '../../plugins/webhooks.ts'
import { acceptedResponse } from '../../src/schemas/accepted.ts'
import { WebhookDeliveryParamsSchema } from '../../src/schemas/webhook.ts'

export const retryWebhookDeliveryRoute: FastifyPluginAsyncTypebox = async app => {
  app.route({
    method: 'POST',
    url: '/webhooks/:id/deliveries/:eventId/retry',
    schema: {
      operationId: 'retryWebhookDelivery',
      summary: 'Send an event again',
      description: 'The event is sent at once, and tried again for as long as a new one, also where it was delivered: the receiver knows it by its `webhook-id`. 409 for a webhook that is not active.',
      tags: ['admin'],
      params: WebhookDeliveryParamsSchema,
      response: { 202: acceptedResponse('The event is on its way') }
    },
    config: { access: 'webhooks:write', errors: ['NOT_FOUND', 'CONFLICT'] },
    handler: async (request, reply) => {
      const { id, eventId } = request.params
      await app.authServeWebhooks.admin.retryDelivery(id, eventId, app.authServeAuth.principal(request), app.authServe.contextOf(request))
      return await reply.code(202).send({})
    }
  })
}

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type {} from '../../plugins/auth.ts'
import type {} from '../../plugins/use-cases.ts'
import type {} from '../../plugins/webhooks.ts'
import { WebhookParamsSchema, WebhookWithSecretSchema } from '../../src/schemas/webhook.ts'

export const rotateWebhookSecretRoute: FastifyPluginAsyncTypebox = async app => {
  app.route({
    method: 'POST',
    url: '/webhooks/:id/rotate-secret',
    schema: {
      operationId: 'rotateWebhookSecret',
      summary: 'Sign with a new secret',
      description: 'The `secret` of the answer signs from now on, and is not shown again. Until `previousSecretUntil` the one from before signs along, so that the receiver can change over; rotate twice where it is known to others.',
      tags: ['admin'],
      params: WebhookParamsSchema,
      response: { 200: { ...WebhookWithSecretSchema, 'x-response-description': 'The webhook, and its new secret' } }
    },
    config: { access: 'webhooks:write', errors: ['NOT_FOUND'] },
    handler: async request =>
      await app.authServeWebhooks.admin.rotateSecret(request.params.id, app.authServeAuth.principal(request), app.authServe.contextOf(request))
  })
}

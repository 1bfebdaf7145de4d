import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type {} from '../../plugins/auth.ts'
import type {} from '../../plugins/use-cases.ts'
import type {} from '../../plugins/webhooks.ts'
import { NewWebhookSchema, WebhookWithSecretSchema } from '../../src/schemas/webhook.ts'

export const createWebhookRoute: FastifyPluginAsyncTypebox = async app => {
  const location = `${app.prefix}/webhooks`
  app.route({
    method: 'POST',
    url: '/webhooks',
    schema: {
      operationId: 'createWebhook',
      summary: 'Have a program told of events',
      description: 'From now on each event of these types is POSTed to the URL as [Standard Webhooks](https://www.standardwebhooks.com) say, `{ type, timestamp, data }` with the Event as `data`, at least once and in no certain order. The `secret` of the answer signs what is sent, and is not shown again. 409 where there are 100 webhooks.',
      tags: ['admin'],
      body: NewWebhookSchema,
      response: { 201: { ...WebhookWithSecretSchema, 'x-response-description': 'The webhook, and its secret' } }
    },
    config: { access: 'webhooks:write', errors: ['CONFLICT'] },
    handler: async (request, reply) => {
      const webhook = await app.authServeWebhooks.admin.create(request.body, app.authServeAuth.principal(request), app.authServe.contextOf(request))
      return await reply.code(201).header('location', `${location}/${webhook.id}`).send(webhook)
    }
  })
}

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type {} from '../../plugins/auth.ts'
import type {} from '../../plugins/use-cases.ts'
import type {} from '../../plugins/webhooks.ts'
import { WebhookParamsSchema, WebhookPatchSchema, WebhookSchema } from '../../src/schemas/webhook.ts'

const description = 'Changes what the body names: absent means unchanged, `null` clears. What is still owed goes to the new URL; to a webhook that is not active nothing is sent, and what it is owed is dropped within minutes.'

/** PATCH, and PUT as its deprecated alias. */
export const updateWebhookRoute: FastifyPluginAsyncTypebox = async app => {
  for (const { method, ...operation } of [
    { method: 'PATCH' as const, operationId: 'updateWebhook', summary: 'Change a webhook', description },
    { method: 'PUT' as const, operationId: 'replaceWebhook', summary: 'Change a webhook (alias of PATCH)', description, deprecated: true }
  ]) {
    app.route({
      method,
      url: '/webhooks/:id',
      schema: {
        ...operation,
        tags: ['admin'],
        params: WebhookParamsSchema,
        body: WebhookPatchSchema,
        response: { 200: { ...WebhookSchema, 'x-response-description': 'The changed webhook' } }
      },
      config: { access: 'webhooks:write', errors: ['NOT_FOUND'] },
      handler: async request =>
        await app.authServeWebhooks.admin.update(request.params.id, request.body, app.authServeAuth.principal(request), app.authServe.contextOf(request))
    })
  }
}

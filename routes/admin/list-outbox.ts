import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type {} from '../../plugins/use-cases.ts'
import { OutboxMailSchema, OutboxQuerySchema } from '../../src/schemas/outbox.ts'
import { Page } from '../../src/schemas/page.ts'

export const listOutboxRoute: FastifyPluginAsyncTypebox = async app => {
  app.route({
    method: 'GET',
    url: '/outbox',
    schema: {
      operationId: 'listOutbox',
      summary: 'List the mails',
      description: 'Answers the mails that wait, those that were sent and the dead letters, newest first. What they say is not shown. Sent mails and dead letters are kept for `MAIL_RETENTION_DAYS`.',
      tags: ['admin'],
      querystring: OutboxQuerySchema,
      response: { 200: Page(OutboxMailSchema, 'A page of the mails') }
    },
    config: { access: 'outbox:read' },
    handler: async request => await app.authServe.outbox.list(request.query)
  })
}

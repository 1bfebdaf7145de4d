import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type {} from '../../plugins/use-cases.ts'
import { EventQuerySchema, EventSchema } from '../../src/schemas/event.ts'
import { Page } from '../../src/schemas/page.ts'

export const listEventsRoute: FastifyPluginAsyncTypebox = async app => {
  app.route({
    method: 'GET',
    url: '/events',
    schema: {
      operationId: 'listEvents',
      summary: 'List what happened',
      description: 'Answers the audit trail, newest first: `userId` finds what a person did and what was done to them, `from` is the first moment and `to` the first that does not count any more. Kept for `AUDIT_RETENTION_DAYS`.',
      tags: ['admin'],
      querystring: EventQuerySchema,
      response: { 200: Page(EventSchema, 'A page of the events') }
    },
    config: { access: 'events:read' },
    handler: async request => await app.authServe.auditTrail.list(request.query)
  })
}

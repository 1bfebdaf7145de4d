import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type {} from '../../plugins/auth.ts'
import type {} from '../../plugins/use-cases.ts'
import { EventSchema } from '../../src/schemas/event.ts'
import { Page, PageQuerySchema } from '../../src/schemas/page.ts'

export const listMyEventsRoute: FastifyPluginAsyncTypebox = async app => {
  app.route({
    method: 'GET',
    url: '/me/events',
    schema: {
      operationId: 'listMyEvents',
      summary: 'List what happened to your account',
      description: 'Answers what the signed-in person did and what was done to them, newest first. Where somebody else did it, such as an administrator, their session, request, address and user agent are null.',
      tags: ['users'],
      querystring: PageQuerySchema,
      response: { 200: Page(EventSchema, 'A page of your events') }
    },
    config: { access: 'session' },
    handler: async request => await app.authServe.auditTrail.listOwn(app.authServeAuth.principal(request), request.query)
  })
}

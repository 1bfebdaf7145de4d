import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type {} from '../../plugins/auth.ts'
import type {} from '../../plugins/use-cases.ts'
import { Page, PageQuerySchema } from '../../src/schemas/page.ts'
import { SessionSchema } from '../../src/schemas/session.ts'

export const listSessionsRoute: FastifyPluginAsyncTypebox = async app => {
  app.route({
    method: 'GET',
    url: '/me/sessions',
    schema: {
      operationId: 'listSessions',
      summary: 'List your sessions',
      description: 'Answers the live sessions of the signed-in person, newest first.',
      tags: ['users'],
      querystring: PageQuerySchema,
      response: { 200: Page(SessionSchema, 'A page of your sessions') }
    },
    config: { access: 'session' },
    handler: async request => await app.authServe.listSessions(app.authServeAuth.principal(request), request.query)
  })
}

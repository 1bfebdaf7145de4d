import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type {} from '../../plugins/auth.ts'
import type {} from '../../plugins/use-cases.ts'
import { Page, PageQuerySchema } from '../../src/schemas/page.ts'
import { SessionSchema } from '../../src/schemas/session.ts'
import { UserParamsSchema } from '../../src/schemas/user-admin.ts'

export const listUserSessionsRoute: FastifyPluginAsyncTypebox = async app => {
  app.route({
    method: 'GET',
    url: '/users/:id/sessions',
    schema: {
      operationId: 'listUserSessions',
      summary: 'List the sessions of a user',
      description: 'Answers their live sessions, newest first. `current` is the one that you ask with, should it be one of them.',
      tags: ['admin'],
      params: UserParamsSchema,
      querystring: PageQuerySchema,
      response: { 200: Page(SessionSchema, 'A page of their sessions') }
    },
    config: { access: 'users:read', errors: ['USER_NOT_FOUND'] },
    handler: async request => await app.authServe.userAdmin.listSessions(app.authServeAuth.principal(request), request.params.id, request.query)
  })
}

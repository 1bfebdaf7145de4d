import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import type {} from '../../plugins/auth.ts'
import type {} from '../../plugins/use-cases.ts'
import { UserSessionParamsSchema } from '../../src/schemas/user-admin.ts'

export const endUserSessionRoute: FastifyPluginAsyncTypebox = async app => {
  app.route({
    method: 'DELETE',
    url: '/users/:id/sessions/:sessionId',
    schema: {
      operationId: 'endUserSession',
      summary: 'End a session of a user',
      description: 'Its access and refresh tokens die at once, on every instance.',
      tags: ['admin'],
      params: UserSessionParamsSchema,
      response: { 204: Type.Null({ description: 'The session has ended' }) }
    },
    config: { access: 'users:write', errors: ['USER_NOT_FOUND', 'SESSION_NOT_FOUND'] },
    handler: async (request, reply) => {
      await app.authServe.userAdmin.endSession(app.authServeAuth.principal(request), request.params, app.authServe.contextOf(request))
      return await reply.code(204).send(null)
    }
  })
}

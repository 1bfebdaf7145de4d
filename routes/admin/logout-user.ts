import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import type {} from '../../plugins/auth.ts'
import type {} from '../../plugins/use-cases.ts'
import { UserParamsSchema } from '../../src/schemas/user-admin.ts'

export const logoutUserRoute: FastifyPluginAsyncTypebox = async app => {
  app.route({
    method: 'POST',
    url: '/users/:id/logout',
    schema: {
      operationId: 'logoutUser',
      summary: 'End every session of a user',
      description: 'Their access and refresh tokens die at once, on every instance. They may sign in again.',
      tags: ['admin'],
      params: UserParamsSchema,
      response: { 204: Type.Null({ description: 'They have no session any more' }) }
    },
    config: { access: 'users:write', errors: ['USER_NOT_FOUND'] },
    handler: async (request, reply) => {
      await app.authServe.userAdmin.logout(app.authServeAuth.principal(request), request.params.id, app.authServe.contextOf(request))
      return await reply.code(204).send(null)
    }
  })
}

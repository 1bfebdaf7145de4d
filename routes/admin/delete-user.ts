import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import type {} from '../../plugins/auth.ts'
import type {} from '../../plugins/use-cases.ts'
import { UserParamsSchema } from '../../src/schemas/user-admin.ts'

export const deleteUserRoute: FastifyPluginAsyncTypebox = async app => {
  app.route({
    method: 'DELETE',
    url: '/users/:id',
    schema: {
      operationId: 'deleteUser',
      summary: 'Delete a user',
      description: 'Their sessions end at once, the e-mail address and the username are free again, and a notice goes to them. 409 for the last active administrator.',
      tags: ['admin'],
      params: UserParamsSchema,
      response: { 204: Type.Null({ description: 'The user is deleted' }) }
    },
    config: { access: 'users:write', errors: ['USER_NOT_FOUND', 'CONFLICT'] },
    handler: async (request, reply) => {
      await app.authServe.userAdmin.delete(app.authServeAuth.principal(request), request.params.id, app.authServe.contextOf(request))
      return await reply.code(204).send(null)
    }
  })
}

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import type {} from '../../plugins/auth.ts'
import type {} from '../../plugins/use-cases.ts'
import { UserParamsSchema } from '../../src/schemas/user-admin.ts'

export const unlockUserRoute: FastifyPluginAsyncTypebox = async app => {
  app.route({
    method: 'POST',
    url: '/users/:id/unlock',
    schema: {
      operationId: 'unlockUser',
      summary: 'Open the login of a user again',
      description: 'Forgets the failed logins of the account, of its devices and of its sessions, also after so many in a row that no time opens it. For an account that is not locked it changes nothing. It does not enable a disabled account.',
      tags: ['admin'],
      params: UserParamsSchema,
      response: { 204: Type.Null({ description: 'The login is open' }) }
    },
    config: { access: 'users:write', errors: ['USER_NOT_FOUND'] },
    handler: async (request, reply) => {
      await app.authServe.userAdmin.unlock(app.authServeAuth.principal(request), request.params.id, app.authServe.contextOf(request))
      return await reply.code(204).send(null)
    }
  })
}

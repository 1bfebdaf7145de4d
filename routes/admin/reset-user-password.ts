import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type {} from '../../plugins/auth.ts'
import type {} from '../../plugins/use-cases.ts'
import { acceptedResponse } from '../../src/schemas/accepted.ts'
import { UserParamsSchema } from '../../src/schemas/user-admin.ts'

export const resetUserPasswordRoute: FastifyPluginAsyncTypebox = async app => {
  app.route({
    method: 'POST',
    url: '/users/:id/password-reset',
    schema: {
      operationId: 'resetUserPassword',
      summary: 'Mail a user a link for a new password',
      description: 'Who was invited and has no password yet gets the invitation again. The password so far stays good until the link is used; end the sessions with /logout. 409 for a disabled account.',
      tags: ['admin'],
      params: UserParamsSchema,
      response: { 202: acceptedResponse('The mail is on its way') }
    },
    config: { access: 'users:write', errors: ['USER_NOT_FOUND', 'CONFLICT'] },
    handler: async (request, reply) => {
      await app.authServe.userAdmin.sendPasswordLink(app.authServeAuth.principal(request), request.params.id, app.authServe.contextOf(request))
      return await reply.code(202).send({})
    }
  })
}

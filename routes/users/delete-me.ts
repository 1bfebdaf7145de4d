import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import type {} from '../../plugins/auth.ts'
import type {} from '../../plugins/use-cases.ts'

export const deleteMeRoute: FastifyPluginAsyncTypebox = async app => {
  app.route({
    method: 'DELETE',
    url: '/me',
    schema: {
      operationId: 'deleteMe',
      summary: 'Delete yourself',
      description: 'Deletes the account of the signed-in person: every session ends, e-mail and username are free again. Needs a session that is fresh, by a login or /auth/reauthenticate.',
      tags: ['users'],
      response: { 204: Type.Null({ description: 'The account is deleted' }) }
    },
    config: { access: 'fresh', errors: ['CONFLICT'] },
    handler: async (request, reply) => {
      await app.authServe.deleteAccount(app.authServeAuth.principal(request), app.authServe.contextOf(request))
      return await reply.code(204).send(null)
    }
  })
}

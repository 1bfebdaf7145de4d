import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import type {} from '../../plugins/auth.ts'
import type {} from '../../plugins/use-cases.ts'

export const logoutAllRoute: FastifyPluginAsyncTypebox = async app => {
  app.route({
    method: 'POST',
    url: '/logout-all',
    schema: {
      operationId: 'logoutAll',
      summary: 'Log out everywhere',
      description: 'Ends every session of the signed-in person, this one too.',
      tags: ['auth'],
      response: { 204: Type.Null({ description: 'Every session has ended' }) }
    },
    config: { access: 'session' },
    handler: async (request, reply) => {
      await app.authServe.logoutAll(app.authServeAuth.principal(request), app.authServe.contextOf(request))
      return await reply.code(204).send(null)
    }
  })
}

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import type {} from '../../plugins/auth.ts'
import type {} from '../../plugins/use-cases.ts'
import { sessionExample } from '../../src/schemas/session.ts'
import { StrictObject } from '../../src/schemas/strict.ts'
import { Uuid } from '../../src/schemas/text.ts'

const SessionParamsSchema = StrictObject({ id: Uuid({ description: 'A session of yours', examples: [sessionExample.id] }) })

export const endSessionRoute: FastifyPluginAsyncTypebox = async app => {
  app.route({
    method: 'DELETE',
    url: '/me/sessions/:id',
    schema: {
      operationId: 'endSession',
      summary: 'End one of your sessions',
      description: 'Ends a session: its access and refresh tokens die at once. Ending the one that you ask with is a logout.',
      tags: ['users'],
      params: SessionParamsSchema,
      response: { 204: Type.Null({ description: 'The session has ended' }) }
    },
    config: { access: 'session', errors: ['SESSION_NOT_FOUND'] },
    handler: async (request, reply) => {
      await app.authServe.endSession(app.authServeAuth.principal(request), request.params.id, app.authServe.contextOf(request))
      return await reply.code(204).send(null)
    }
  })
}

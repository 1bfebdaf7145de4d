import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import type {} from '../../plugins/use-cases.ts'
import { ActionToken } from '../../src/schemas/action-token.ts'
import { StrictObject } from '../../src/schemas/strict.ts'

const UndoEmailChangeBodySchema = StrictObject({ token: ActionToken() })

export const undoEmailChangeRoute: FastifyPluginAsyncTypebox = async app => {
  app.route({
    method: 'POST',
    url: '/email/change/undo',
    schema: {
      operationId: 'undoEmailChange',
      summary: 'Take a change of e-mail address back',
      description: 'Takes the token of the mail that was sent to the address from before. Every session ends, the account has that address again, and a link that sets a new password goes there. 409 where somebody else has the address by now: the token stays good.',
      tags: ['auth'],
      body: UndoEmailChangeBodySchema,
      response: { 204: Type.Null({ description: 'The account has the address from before' }) }
    },
    config: { access: 'public', limit: 'credentials', errors: ['ACTION_TOKEN_INVALID', 'CONFLICT', 'SERVICE_UNAVAILABLE', 'DATABASE_ERROR'] },
    handler: async (request, reply) => {
      await app.authServe.recovery.undoEmailChange(request.body.token, app.authServe.contextOf(request))
      return await reply.code(204).send(null)
    }
  })
}

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import type {} from '../../plugins/use-cases.ts'
import { ActionToken } from '../../src/schemas/action-token.ts'
import { StrictObject } from '../../src/schemas/strict.ts'
import { Password } from '../../src/schemas/text.ts'

const AcceptInvitationBodySchema = StrictObject({
  token: ActionToken(),
  password: Password({ description: 'Length and strength are judged by the service; a refusal says why' })
})

export const acceptInvitationRoute: FastifyPluginAsyncTypebox = async app => {
  app.route({
    method: 'POST',
    url: '/invitation/accept',
    schema: {
      operationId: 'acceptInvitation',
      summary: 'Accept an invitation',
      description: 'Takes the token of the mail, sets the first password and confirms the address. Nobody is signed in. A weak password is refused, and the token stays good.',
      tags: ['auth'],
      body: AcceptInvitationBodySchema,
      response: { 204: Type.Null({ description: 'The password was set' }) }
    },
    config: { access: 'public', limit: 'credentials', errors: ['ACTION_TOKEN_INVALID', 'OVERLOADED', 'SERVICE_UNAVAILABLE', 'DATABASE_ERROR'] },
    handler: async (request, reply) => {
      await app.authServe.recovery.acceptInvitation(request.body, app.authServe.contextOf(request))
      return await reply.code(204).send(null)
    }
  })
}

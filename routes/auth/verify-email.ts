import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import type {} from '../../plugins/use-cases.ts'
import { ActionToken } from '../../src/schemas/action-token.ts'
import { StrictObject } from '../../src/schemas/strict.ts'

const VerifyEmailBodySchema = StrictObject({ token: ActionToken() })

export const verifyEmailRoute: FastifyPluginAsyncTypebox = async app => {
  app.route({
    method: 'POST',
    url: '/email/verify',
    schema: {
      operationId: 'verifyEmail',
      summary: 'Confirm an e-mail address',
      description: 'Takes the token of the mail that was sent to the address. Other links that are under way for the account are void.',
      tags: ['auth'],
      body: VerifyEmailBodySchema,
      response: { 204: Type.Null({ description: 'The address is confirmed' }) }
    },
    config: { access: 'public', limit: 'credentials', errors: ['ACTION_TOKEN_INVALID', 'SERVICE_UNAVAILABLE', 'DATABASE_ERROR'] },
    handler: async (request, reply) => {
      await app.authServe.registration.verifyEmail(request.body.token, app.authServe.contextOf(request))
      return await reply.code(204).send(null)
    }
  })
}

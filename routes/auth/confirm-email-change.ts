import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import type {} from '../../plugins/auth.ts'
import type {} from '../../plugins/use-cases.ts'
import { ActionToken } from '../../src/schemas/action-token.ts'
import { StrictObject } from '../../src/schemas/strict.ts'

const ConfirmEmailChangeBodySchema = StrictObject({ token: ActionToken() })

export const confirmEmailChangeRoute: FastifyPluginAsyncTypebox = async app => {
  app.route({
    method: 'POST',
    url: '/email/change/confirm',
    schema: {
      operationId: 'confirmEmailChange',
      summary: 'Confirm a new e-mail address',
      description: 'Takes the token of the mail that was sent to the new address. Every session ends but the one of the access token, where one of the same person is sent. The old address gets a link that takes the change back. 409 where somebody else took the address meanwhile: the token stays good.',
      tags: ['auth'],
      body: ConfirmEmailChangeBodySchema,
      response: { 204: Type.Null({ description: 'The account has the new address' }) }
    },
    config: { access: 'optional', limit: 'credentials', errors: ['ACTION_TOKEN_INVALID', 'CONFLICT'] },
    handler: async (request, reply) => {
      const asking = await app.authServeAuth.tryAuthenticate(request)
      await app.authServe.recovery.confirmEmailChange(request.body.token, asking, app.authServe.contextOf(request))
      return await reply.code(204).send(null)
    }
  })
}

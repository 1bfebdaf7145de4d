import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import type {} from '../../plugins/use-cases.ts'
import { ActionToken } from '../../src/schemas/action-token.ts'
import { StrictObject } from '../../src/schemas/strict.ts'
import { Password } from '../../src/schemas/text.ts'

const ResetPasswordBodySchema = StrictObject({
  token: ActionToken(),
  password: Password({ description: 'Length and strength are judged by the service; a refusal says why' })
})

export const resetPasswordRoute: FastifyPluginAsyncTypebox = async app => {
  app.route({
    method: 'POST',
    url: '/password/reset',
    schema: {
      operationId: 'resetPassword',
      summary: 'Set a new password by a link',
      description: 'Takes the token of the mail. Every session ends, a lock after failed logins is lifted, and nobody is signed in. A weak password is refused, and the token stays good.',
      tags: ['auth'],
      body: ResetPasswordBodySchema,
      response: { 204: Type.Null({ description: 'The password was set' }) }
    },
    config: { access: 'public', limit: 'credentials', errors: ['ACTION_TOKEN_INVALID', 'OVERLOADED', 'SERVICE_UNAVAILABLE', 'DATABASE_ERROR'] },
    handler: async (request, reply) => {
      await app.authServe.recovery.resetPassword(request.body, app.authServe.contextOf(request))
      return await reply.code(204).send(null)
    }
  })
}

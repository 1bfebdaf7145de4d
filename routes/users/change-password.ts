import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import type {} from '../../plugins/auth.ts'
import type {} from '../../plugins/use-cases.ts'
import { StrictObject } from '../../src/schemas/strict.ts'
import { Password } from '../../src/schemas/text.ts'

const ChangePasswordBodySchema = StrictObject({
  currentPassword: Password({ description: 'The password so far' }),
  newPassword: Password({ description: 'Length and strength are judged by the service; a refusal says why' })
}, { examples: [{ currentPassword: 'the engine weaves algebra', newPassword: 'patterns as the loom weaves flowers' }] })

export const changePasswordRoute: FastifyPluginAsyncTypebox = async app => {
  app.route({
    method: 'POST',
    url: '/me/password',
    schema: {
      operationId: 'changePassword',
      summary: 'Change your password',
      description: 'Replaces the password. Your other sessions end, this one lives.',
      tags: ['users'],
      body: ChangePasswordBodySchema,
      response: { 204: Type.Null({ description: 'The password was changed' }) }
    },
    config: { access: 'session', limit: 'credentials', errors: ['PASSWORD_INCORRECT', 'CONFLICT', 'TOO_MANY_ATTEMPTS', 'OVERLOADED'] },
    handler: async (request, reply) => {
      await app.authServe.changePassword(app.authServeAuth.principal(request), request.body, app.authServe.contextOf(request))
      return await reply.code(204).send(null)
    }
  })
}

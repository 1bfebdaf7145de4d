import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type {} from '../../plugins/auth.ts'
import type {} from '../../plugins/use-cases.ts'
import { acceptedResponse } from '../../src/schemas/accepted.ts'
import { StrictObject } from '../../src/schemas/strict.ts'
import { Email, Password } from '../../src/schemas/text.ts'

const ChangeEmailBodySchema = StrictObject({ email: Email(), password: Password() }, { examples: [{ email: 'ada@example.org', password: 'the engine weaves algebra' }] })

export const changeEmailRoute: FastifyPluginAsyncTypebox = async app => {
  app.route({
    method: 'POST',
    url: '/me/email',
    schema: {
      operationId: 'changeEmail',
      summary: 'Change your e-mail address',
      description: 'Sends a link to the new address, and a notice to the one so far; nothing changes before the link is used. Whether the address is taken is told only by mail.',
      tags: ['users'],
      body: ChangeEmailBodySchema,
      response: { 202: acceptedResponse('Whatever there is to say is told by mail') }
    },
    config: { access: 'session', limit: 'credentials', errors: ['PASSWORD_INCORRECT', 'TOO_MANY_ATTEMPTS', 'OVERLOADED'] },
    handler: async (request, reply) => {
      await app.authServe.recovery.requestEmailChange(app.authServeAuth.principal(request), request.body, app.authServe.contextOf(request))
      return await reply.code(202).send({})
    }
  })
}

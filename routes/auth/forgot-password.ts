import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type {} from '../../plugins/use-cases.ts'
import { acceptedResponse } from '../../src/schemas/accepted.ts'
import { StrictObject } from '../../src/schemas/strict.ts'
import { Email } from '../../src/schemas/text.ts'

const ForgotPasswordBodySchema = StrictObject({ email: Email() })

export const forgotPasswordRoute: FastifyPluginAsyncTypebox = async app => {
  app.route({
    method: 'POST',
    url: '/password/forgot',
    schema: {
      operationId: 'forgotPassword',
      summary: 'Ask for a link that sets a new password',
      description: 'The answer is the same for every address. A mail goes out where somebody has the address, and none was sent a moment ago.',
      tags: ['auth'],
      body: ForgotPasswordBodySchema,
      response: { 202: acceptedResponse('Whatever there is to say is told by mail') }
    },
    config: { access: 'public', limit: 'credentials', errors: ['SERVICE_UNAVAILABLE', 'DATABASE_ERROR'] },
    handler: async (request, reply) => {
      await app.authServe.recovery.forgotPassword(request.body.email)
      return await reply.code(202).send({})
    }
  })
}

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type {} from '../../plugins/use-cases.ts'
import { acceptedResponse } from '../../src/schemas/accepted.ts'
import { StrictObject } from '../../src/schemas/strict.ts'
import { Email } from '../../src/schemas/text.ts'

const ResendVerificationBodySchema = StrictObject({ email: Email() })

export const resendVerificationRoute: FastifyPluginAsyncTypebox = async app => {
  app.route({
    method: 'POST',
    url: '/email/resend',
    schema: {
      operationId: 'resendVerification',
      summary: 'Ask for a new link that confirms an e-mail address',
      description: 'The answer is the same for every address. A mail goes out where an account waits for the proof of this address, and none was sent a moment ago.',
      tags: ['auth'],
      body: ResendVerificationBodySchema,
      response: { 202: acceptedResponse('Whatever there is to say is told by mail') }
    },
    config: { access: 'public', limit: 'credentials', errors: ['SERVICE_UNAVAILABLE', 'DATABASE_ERROR'] },
    handler: async (request, reply) => {
      await app.authServe.registration.resendVerification(request.body.email)
      return await reply.code(202).send({})
    }
  })
}

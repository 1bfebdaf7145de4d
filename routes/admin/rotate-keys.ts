import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type {} from '../../plugins/auth.ts'
import type {} from '../../plugins/use-cases.ts'
import { KeySchema } from '../../src/schemas/key.ts'

export const rotateKeysRoute: FastifyPluginAsyncTypebox = async app => {
  app.route({
    method: 'POST',
    url: '/keys/rotate',
    schema: {
      operationId: 'rotateKeys',
      summary: 'Make a new signing key',
      description: 'The new key is published at once and signs after `JWT_KEY_ACTIVATION_SECONDS`; the one before it verifies until its last token has expired. 409 where the keys come from files.',
      tags: ['admin'],
      response: { 201: { ...KeySchema, 'x-response-description': 'The new key' } }
    },
    config: { access: 'keys:write', errors: ['CONFLICT'] },
    handler: async (request, reply) => {
      const key = await app.authServe.rotateKeys(app.authServeAuth.principal(request), app.authServe.contextOf(request))
      return await reply.code(201).send(key)
    }
  })
}

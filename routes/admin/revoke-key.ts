import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import type {} from '../../plugins/auth.ts'
import type {} from '../../plugins/use-cases.ts'
import { Kid } from '../../src/schemas/key.ts'
import { StrictObject } from '../../src/schemas/strict.ts'

export const revokeKeyRoute: FastifyPluginAsyncTypebox = async app => {
  app.route({
    method: 'POST',
    url: '/keys/:kid/revoke',
    schema: {
      operationId: 'revokeKey',
      summary: 'Drop a compromised signing key',
      description: 'Every token that the key signed is refused at once, that of the caller too: people refresh or sign in again. Where it was the key that signs, a new one does so at once; where the keys come from files, the next private one, and without one nobody can sign in until there is one. Revoking a key once more changes nothing.',
      tags: ['admin'],
      params: StrictObject({ kid: Kid() }),
      response: { 204: Type.Null({ description: 'The key is revoked' }) }
    },
    config: { access: 'keys:write', errors: ['NOT_FOUND'] },
    handler: async (request, reply) => {
      await app.authServe.revokeKey(request.params.kid, app.authServeAuth.principal(request), app.authServe.contextOf(request))
      return await reply.code(204).send(null)
    }
  })
}

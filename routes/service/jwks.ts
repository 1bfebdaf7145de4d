import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import type {} from '../../plugins/auth.ts'
import { isHeld } from '../../src/entity-tag.ts'
import { JwksSchema } from '../../src/schemas/jwks.ts'

/** Seconds that a verifier may keep the keys. */
const maxAge = 300

export const jwksRoute: FastifyPluginAsyncTypebox = async app => {
  app.route({
    method: 'GET',
    url: '/.well-known/jwks.json',
    schema: {
      operationId: 'readJwks',
      summary: 'Keys that verify access tokens',
      description: 'A JSON Web Key Set (RFC 7517), cacheable, for all origins.',
      tags: ['service'],
      response: { 200: JwksSchema, 304: Type.Unsafe<undefined>(Type.Null({ description: 'The set is still the one of If-None-Match' })) }
    },
    config: { access: 'public', errors: ['SERVICE_UNAVAILABLE', 'DATABASE_ERROR'] },
    handler: async (request, reply) => {
      const { jwks, etag } = await app.authServeAuth.keyRing.published()
      reply.headers({ etag, 'cache-control': `public, max-age=${maxAge}`, 'access-control-allow-origin': '*' })
      return isHeld(etag, request.headers['if-none-match']) ? await reply.code(304).send(undefined) : jwks
    }
  })
}

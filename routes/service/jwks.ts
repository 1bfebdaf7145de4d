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
      description: 'A JSON Web Key Set (RFC 7517), cacheable, for all origins: the key that signs, the one that will, and those whose tokens are still alive.',
      tags: ['service'],
      response: { 200: JwksSchema, 304: Type.Unsafe<undefined>(Type.Null({ description: 'The set is still the one of If-None-Match' })) }
    },
    // Open to all origins, so none of the rules for some of them; the CORS plugin answers its preflights.
    config: { access: 'public', cors: false, errors: ['SERVICE_UNAVAILABLE', 'DATABASE_ERROR'] },
    handler: async (request, reply) => {
      reply.headers({ 'access-control-allow-origin': '*', 'access-control-expose-headers': 'ETag, X-Request-Id' })
      const { jwks, etag } = await app.authServeAuth.keyRing.published()
      reply.headers({ etag, 'cache-control': `public, max-age=${maxAge}` })
      return isHeld(etag, request.headers['if-none-match']) ? await reply.code(304).send(undefined) : jwks
    }
  })
}

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import type {} from '../../plugins/auth.ts'
import { isHeld } from '../../src/entity-tag.ts'
import { RevocationListSchema } from '../../src/schemas/revocation-list.ts'

export const revocationsRoute: FastifyPluginAsyncTypebox = async app => {
  app.route({
    method: 'GET',
    url: '/.well-known/revocations.json',
    schema: {
      operationId: 'readRevocations',
      summary: 'Sessions and rights that ended before their access tokens',
      description: 'For services that verify access tokens themselves: poll it with If-None-Match. Tells digests only, to all origins; ' +
        '`Age` is how many seconds ago everything was known that had been revoked by then.',
      tags: ['service'],
      response: {
        // Written once for all requests, so it is sent as it is.
        200: Type.Unsafe<Buffer>(RevocationListSchema),
        304: Type.Unsafe<undefined>(Type.Null({ description: 'The list is still the one of If-None-Match' }))
      }
    },
    // Open to all origins, so none of the rules for some of them; the CORS plugin answers its preflights.
    config: { access: 'public', cors: false, errors: ['SERVICE_UNAVAILABLE'] },
    logLevel: 'warn',
    handler: async (request, reply) => {
      reply.headers({ 'access-control-allow-origin': '*', 'access-control-expose-headers': 'ETag, Age, Retry-After, X-Request-Id' })
      const { body, etag, ageSeconds } = app.authServeAuth.publishedRevocations()
      reply.headers({ etag, age: ageSeconds, 'cache-control': 'no-cache' })
      return isHeld(etag, request.headers['if-none-match']) ? await reply.code(304).send(undefined) : await reply.type('application/json; charset=utf-8').send(body)
    }
  })
}

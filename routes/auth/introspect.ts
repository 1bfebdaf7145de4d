import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import type {} from '../../plugins/use-cases.ts'
import { IntrospectionSchema } from '../../src/schemas/introspection.ts'
import { StrictObject } from '../../src/schemas/strict.ts'
import { Text } from '../../src/schemas/text.ts'

const tokenExample = 'eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9.e30.c2lnbmF0dXJl'

const IntrospectBodySchema = StrictObject({
  token: Type.String({ 'x-sensitive': true, maxLength: 16_384, description: 'The token in question; the bound is that of a header', examples: [tokenExample] }),
  token_type_hint: Type.Optional(Text({ maxLength: 64, description: 'Ignored, as RFC 7662 allows', examples: ['access_token'] }))
}, { examples: [{ token: tokenExample }] })

export const introspectRoute: FastifyPluginAsyncTypebox = async app => {
  app.route({
    method: 'POST',
    url: '/introspect',
    schema: {
      operationId: 'introspect',
      summary: 'Ask what a token is worth',
      description: 'RFC 7662 for services that cannot verify tokens themselves, with JSON in place of a form. A live access token is answered with its claims; whatever else, be it expired, ended, stale or no token at all, with `active: false`. So is a refresh token: it belongs between its client and this service, and a resource server must never take one for an access token. While it cannot be known the answer is 503.',
      tags: ['auth'],
      body: IntrospectBodySchema,
      response: { 200: { ...IntrospectionSchema, 'x-response-description': 'What the token is worth at this moment' } }
    },
    config: { access: 'tokens:introspect' },
    handler: async request => await app.authServe.introspect(request.body.token)
  })
}

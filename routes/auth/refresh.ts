import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type {} from '../../plugins/use-cases.ts'
import { StrictObject } from '../../src/schemas/strict.ts'
import { refreshTokenExample, RefreshToken, tokenPairResponse } from '../../src/schemas/token.ts'

const RefreshBodySchema = StrictObject({ refreshToken: RefreshToken() }, { examples: [{ refreshToken: refreshTokenExample }] })

export const refreshRoute: FastifyPluginAsyncTypebox = async app => {
  app.route({
    method: 'POST',
    url: '/refresh',
    schema: {
      operationId: 'refresh',
      summary: 'Refresh',
      description: 'Exchanges a refresh token for the next pair. Parallel uses of one token, and repeated ones within the grace, all get the session\'s newest token; a token that was replaced longer ago ends the session.',
      tags: ['auth'],
      body: RefreshBodySchema,
      response: { 200: tokenPairResponse('The newest tokens of the session') }
    },
    config: { access: 'public', errors: ['REFRESH_TOKEN_INVALID', 'REFRESH_TOKEN_REUSED', 'RATE_LIMITED', 'SERVICE_UNAVAILABLE', 'DATABASE_ERROR'] },
    handler: async request => await app.authServe.refresh(request.body.refreshToken, app.authServe.contextOf(request))
  })
}

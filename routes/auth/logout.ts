import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import type {} from '../../plugins/auth.ts'
import type {} from '../../plugins/use-cases.ts'
import { OptionalBody } from '../../src/schemas/optional-body.ts'
import { refreshTokenExample, RefreshToken } from '../../src/schemas/token.ts'

const LogoutBodySchema = OptionalBody({ refreshToken: Type.Optional(RefreshToken()) }, { examples: [{ refreshToken: refreshTokenExample }] })

export const logoutRoute: FastifyPluginAsyncTypebox = async app => {
  app.route({
    method: 'POST',
    url: '/logout',
    schema: {
      operationId: 'logout',
      summary: 'Log out',
      description: 'Ends the session of the access token, that of the refresh token in the body, or both where both are sent; a refresh token also works when the access token has expired. One that is not live is answered alike.',
      tags: ['auth'],
      body: LogoutBodySchema,
      response: { 204: Type.Null({ description: 'The session has ended' }) }
    },
    config: { access: 'optional', errors: ['TOKEN_MISSING', 'TOKEN_INVALID', 'TOKEN_EXPIRED', 'TOKEN_STALE', 'SESSION_REVOKED'] },
    handler: async (request, reply) => {
      const context = app.authServe.contextOf(request)
      const refreshToken = request.body?.refreshToken
      if (refreshToken !== undefined) await app.authServe.logoutByRefreshToken(refreshToken, context)
      const principal = refreshToken === undefined ? await app.authServeAuth.authenticate(request) : await app.authServeAuth.tryAuthenticate(request)
      if (principal !== undefined) await app.authServe.logout(principal, context)
      return await reply.code(204).send(null)
    }
  })
}

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type {} from '../../plugins/auth.ts'
import type {} from '../../plugins/use-cases.ts'
import { StrictObject } from '../../src/schemas/strict.ts'
import { Password } from '../../src/schemas/text.ts'
import { tokenPairResponse } from '../../src/schemas/token.ts'

const ReauthenticateBodySchema = StrictObject({ password: Password() }, { examples: [{ password: 'the engine weaves algebra' }] })

export const reauthenticateRoute: FastifyPluginAsyncTypebox = async app => {
  app.route({
    method: 'POST',
    url: '/reauthenticate',
    schema: {
      operationId: 'reauthenticate',
      summary: 'Prove who you are again',
      description: 'Makes the session fresh for a while: same session, new tokens with a new `auth_time`. Refresh tokens from before are replaced, as by a refresh.',
      tags: ['auth'],
      body: ReauthenticateBodySchema,
      response: { 200: tokenPairResponse('New tokens of the same session') }
    },
    config: { access: 'session', limit: 'credentials', errors: ['PASSWORD_INCORRECT', 'TOO_MANY_ATTEMPTS', 'OVERLOADED'] },
    handler: async request =>
      await app.authServe.reauthenticate(app.authServeAuth.principal(request), request.body.password, app.authServe.contextOf(request))
  })
}

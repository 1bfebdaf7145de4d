import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type {} from '../../plugins/auth.ts'
import type {} from '../../plugins/use-cases.ts'
import { userResponse } from '../../src/schemas/user.ts'

export const readMeRoute: FastifyPluginAsyncTypebox = async app => {
  app.route({
    method: 'GET',
    url: '/me',
    schema: {
      operationId: 'readMe',
      summary: 'Read yourself',
      description: 'Answers the signed-in person.',
      tags: ['users'],
      response: { 200: userResponse('The signed-in person') }
    },
    config: { access: 'session' },
    handler: async request => await app.authServe.readProfile(app.authServeAuth.principal(request).userId)
  })
}

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type {} from '../../plugins/use-cases.ts'
import { userResponse } from '../../src/schemas/user.ts'
import { UserParamsSchema } from '../../src/schemas/user-admin.ts'

export const readUserRoute: FastifyPluginAsyncTypebox = async app => {
  app.route({
    method: 'GET',
    url: '/users/:id',
    schema: {
      operationId: 'readUser',
      summary: 'Read a user',
      description: 'Answers somebody who is not deleted.',
      tags: ['admin'],
      params: UserParamsSchema,
      response: { 200: userResponse('The user') }
    },
    config: { access: 'users:read', errors: ['USER_NOT_FOUND'] },
    handler: async request => await app.authServe.userAdmin.read(request.params.id)
  })
}

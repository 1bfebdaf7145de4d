import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type {} from '../../plugins/auth.ts'
import type {} from '../../plugins/use-cases.ts'
import { userResponse } from '../../src/schemas/user.ts'
import { CreateUserBodySchema } from '../../src/schemas/user-admin.ts'

export const createUserRoute: FastifyPluginAsyncTypebox = async app => {
  const location = `${app.prefix}/users`
  app.route({
    method: 'POST',
    url: '/users',
    schema: {
      operationId: 'createUser',
      summary: 'Add a user',
      description: 'The person gets an invitation by mail and chooses the password with it; until then they cannot sign in.',
      tags: ['admin'],
      body: CreateUserBodySchema,
      response: { 201: userResponse('The user was added') }
    },
    config: { access: 'users:write', errors: ['USER_ALREADY_EXISTS'] },
    handler: async (request, reply) => {
      const user = await app.authServe.userAdmin.create(app.authServeAuth.principal(request), request.body, app.authServe.contextOf(request))
      return await reply.code(201).header('location', `${location}/${user.id}`).send(user)
    }
  })
}

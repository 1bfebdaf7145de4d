import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type {} from '../../plugins/use-cases.ts'
import { Page } from '../../src/schemas/page.ts'
import { UserSchema } from '../../src/schemas/user.ts'
import { UserListQuerySchema } from '../../src/schemas/user-admin.ts'

export const listUsersRoute: FastifyPluginAsyncTypebox = async app => {
  app.route({
    method: 'GET',
    url: '/users',
    schema: {
      operationId: 'listUsers',
      summary: 'List and search the users',
      description: 'Filters combine. A page is stable: people who join meanwhile move nobody. In the order of the last login people move when they sign in.',
      tags: ['admin'],
      querystring: UserListQuerySchema,
      response: { 200: Page(UserSchema, 'A page of the users') }
    },
    config: { access: 'users:read' },
    handler: async request => await app.authServe.userAdmin.list(request.query)
  })
}

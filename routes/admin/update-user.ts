import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type {} from '../../plugins/auth.ts'
import type {} from '../../plugins/use-cases.ts'
import { userResponse } from '../../src/schemas/user.ts'
import { UpdateUserBodySchema, UserParamsSchema } from '../../src/schemas/user-admin.ts'

const description = 'Changes what the body names: absent means unchanged, `null` clears. Roles and a ban take effect at once, also on tokens that were issued; a change of roles is told to the person by mail. 409 where nobody could administrate any more.'

/** PATCH, and PUT as its deprecated alias. */
export const updateUserRoute: FastifyPluginAsyncTypebox = async app => {
  for (const { method, ...operation } of [
    { method: 'PATCH' as const, operationId: 'updateUser', summary: 'Change a user', description },
    { method: 'PUT' as const, operationId: 'replaceUser', summary: 'Change a user (alias of PATCH)', description, deprecated: true }
  ]) {
    app.route({
      method,
      url: '/users/:id',
      schema: { ...operation, tags: ['admin'], params: UserParamsSchema, body: UpdateUserBodySchema, response: { 200: userResponse('The changed user') } },
      config: { access: 'users:write', errors: ['USER_NOT_FOUND', 'USER_ALREADY_EXISTS', 'CONFLICT'] },
      handler: async request =>
        await app.authServe.userAdmin.update(app.authServeAuth.principal(request), request.params.id, request.body, app.authServe.contextOf(request))
    })
  }
}

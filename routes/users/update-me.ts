import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import type {} from '../../plugins/auth.ts'
import type {} from '../../plugins/use-cases.ts'
import { Nullable } from '../../src/schemas/nullable.ts'
import { StrictObject } from '../../src/schemas/strict.ts'
import { Text, Username } from '../../src/schemas/text.ts'
import { userResponse } from '../../src/schemas/user.ts'

const UpdateMeBodySchema = StrictObject({
  username: Type.Optional(Nullable(Username())),
  firstName: Type.Optional(Nullable(Text({ minLength: 1, maxLength: 100 }))),
  lastName: Type.Optional(Nullable(Text({ minLength: 1, maxLength: 100 })))
}, { examples: [{ firstName: 'Augusta Ada', lastName: null }] })

const description = 'Changes what the body names: absent means unchanged, `null` clears.'

/** PATCH, and PUT as its deprecated alias. */
export const updateMeRoute: FastifyPluginAsyncTypebox = async app => {
  for (const { method, ...operation } of [
    { method: 'PATCH' as const, operationId: 'updateMe', summary: 'Change yourself', description },
    { method: 'PUT' as const, operationId: 'replaceMe', summary: 'Change yourself (alias of PATCH)', description, deprecated: true }
  ]) {
    app.route({
      method,
      url: '/me',
      schema: { ...operation, tags: ['users'], body: UpdateMeBodySchema, response: { 200: userResponse('The changed person') } },
      config: { access: 'session', errors: ['USER_ALREADY_EXISTS'] },
      handler: async request => await app.authServe.updateProfile(app.authServeAuth.principal(request), request.body, app.authServe.contextOf(request))
    })
  }
}

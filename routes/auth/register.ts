import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import type {} from '../../plugins/use-cases.ts'
import { StrictObject } from '../../src/schemas/strict.ts'
import { Email, Password, Text, Username } from '../../src/schemas/text.ts'
import { userResponse } from '../../src/schemas/user.ts'

const RegisterBodySchema = StrictObject({
  email: Email(),
  password: Password({ description: 'Length and strength are judged by the service; a refusal says why' }),
  username: Type.Optional(Username()),
  firstName: Type.Optional(Text({ minLength: 1, maxLength: 100 })),
  lastName: Type.Optional(Text({ minLength: 1, maxLength: 100 }))
}, {
  examples: [{ email: 'ada@example.com', password: 'the engine weaves algebra', username: 'ada', firstName: 'Ada', lastName: 'Lovelace' }]
})

export const registerRoute: FastifyPluginAsyncTypebox = async app => {
  const location = `${app.prefix.replace(/\/auth$/, '')}/users/me`
  app.route({
    method: 'POST',
    url: '/register',
    schema: {
      operationId: 'register',
      summary: 'Register',
      description: 'Creates an account. The e-mail address and the username must not be taken by another account.',
      tags: ['auth'],
      body: RegisterBodySchema,
      response: { 201: userResponse('The account was created') }
    },
    // The handler adds what is wrong with the password, so that one answer names every field.
    attachValidation: true,
    config: { access: 'public', limit: 'credentials', errors: ['USER_ALREADY_EXISTS', 'OVERLOADED', 'SERVICE_UNAVAILABLE', 'DATABASE_ERROR'] },
    handler: async (request, reply) => {
      if (request.validationError !== undefined) throw await app.authServe.completeRegistrationErrors(request.validationError, request.body)
      const user = await app.authServe.register(request.body, app.authServe.contextOf(request))
      return await reply.code(201).header('location', location).send(user)
    }
  })
}

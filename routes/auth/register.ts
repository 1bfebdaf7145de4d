import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import type { FastifyRequest } from 'fastify'
import type {} from '../../plugins/use-cases.ts'
import { acceptedResponse } from '../../src/schemas/accepted.ts'
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

const operation = { operationId: 'register', summary: 'Register', tags: ['auth'], body: RegisterBodySchema }
const errors = ['OVERLOADED', 'SERVICE_UNAVAILABLE', 'DATABASE_ERROR'] as const

/** One operation, of which the configuration decides what it answers: who registered, or the same to everybody. */
export const registerRoute: FastifyPluginAsyncTypebox = async app => {
  const { registration, completeRegistrationErrors, contextOf } = app.authServe
  const location = `${app.prefix.replace(/\/auth$/, '')}/users/me`

  /** The handler adds what is wrong with the password, so that one answer names every field. */
  async function refuseInvalid ({ validationError, body }: FastifyRequest): Promise<void> {
    if (validationError !== undefined) throw await completeRegistrationErrors(validationError, body)
  }

  if (registration.privacy === 'private') {
    app.route({
      method: 'POST',
      url: '/register',
      schema: {
        ...operation,
        description: 'The answer is the same whether the e-mail address and the username are free or taken: a mail to the address says how to go on.',
        response: { 202: acceptedResponse('Whatever there is to say is told by mail') }
      },
      attachValidation: true,
      config: { access: 'public', limit: 'credentials', errors: [...errors] },
      handler: async (request, reply) => {
        await refuseInvalid(request)
        await registration.registerPrivately(request.body, contextOf(request))
        return await reply.code(202).send({})
      }
    })
    return
  }
  app.route({
    method: 'POST',
    url: '/register',
    schema: {
      ...operation,
      description: 'Creates an account. The e-mail address and the username must not be taken by another account.',
      response: { 201: userResponse('The account was created') }
    },
    attachValidation: true,
    config: { access: 'public', limit: 'credentials', errors: ['USER_ALREADY_EXISTS', ...errors] },
    handler: async (request, reply) => {
      await refuseInvalid(request)
      const user = await registration.register(request.body, contextOf(request))
      return await reply.code(201).header('location', location).send(user)
    }
  })
}

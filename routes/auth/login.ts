import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import type {} from '../../plugins/use-cases.ts'
import { StrictObject, exactlyOneOf } from '../../src/schemas/strict.ts'
import { Email, Password, Username } from '../../src/schemas/text.ts'
import { DeviceToken, deviceTokenExample, loginResponse } from '../../src/schemas/token.ts'

const LoginBodySchema = StrictObject({
  email: Type.Optional(Email()),
  username: Type.Optional(Username()),
  password: Password(),
  deviceToken: Type.Optional(DeviceToken('The newest one that a login of the account gave this device; any other is as none'))
}, {
  ...exactlyOneOf('email', 'username'),
  examples: [
    { email: 'ada@example.com', password: 'the engine weaves algebra' },
    { username: 'ada', password: 'the engine weaves algebra', deviceToken: deviceTokenExample }
  ]
})

export const loginRoute: FastifyPluginAsyncTypebox = async app => {
  app.route({
    method: 'POST',
    url: '/login',
    schema: {
      operationId: 'login',
      summary: 'Log in',
      description: 'Opens a session for exactly one of `email` and `username`. An unknown person and a wrong password are answered alike; failures in a row lock the login for a growing time, except on a device that sends the `deviceToken` of an earlier login: it has a count of its own.',
      tags: ['auth'],
      body: LoginBodySchema,
      response: { 200: loginResponse('The session is open') }
    },
    config: { access: 'public', limit: 'credentials', errors: ['INVALID_CREDENTIALS', 'ACCOUNT_DISABLED', 'EMAIL_NOT_VERIFIED', 'TOO_MANY_ATTEMPTS', 'OVERLOADED', 'SERVICE_UNAVAILABLE', 'DATABASE_ERROR'] },
    handler: async request => await app.authServe.login(request.body, app.authServe.contextOf(request))
  })
}

import { Type, type Static, type TUnsafe } from '@sinclair/typebox'
import { Uuid } from './text.ts'
import { userExample, userResponse } from './user.ts'

/** What a successful login answers. */
export const LoginResultSchema = Type.Object({
  accessToken: Type.String({ 'x-sensitive': true, description: 'Signed JWT (RFC 9068); send it as "Authorization: Bearer <token>"' }),
  tokenType: Type.Literal('Bearer'),
  expiresIn: Type.Integer({ description: 'Seconds until the access token expires' }),
  sessionId: Uuid(),
  user: userResponse('Who signed in')
}, {
  $id: 'AuthServeLoginResult',
  title: 'LoginResult',
  examples: [{
    accessToken: 'eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9.e30.c2lnbmF0dXJl',
    tokenType: 'Bearer',
    expiresIn: 900,
    sessionId: '01920000-0000-7000-8000-000000000002',
    user: userExample
  }]
})
export type LoginResult = Static<typeof LoginResultSchema>

/** A response that is a LoginResult. */
export const loginResponse = (description: string): TUnsafe<LoginResult> => Type.Unsafe<LoginResult>(Type.Ref('AuthServeLoginResult#', { description }))

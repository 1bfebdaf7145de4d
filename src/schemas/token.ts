import { Type, type Static } from '@sinclair/typebox'
import { Uuid } from './text.ts'
import { userExample, UserSchema } from './user.ts'

const tokenPairProperties = {
  accessToken: Type.String({ 'x-sensitive': true, description: 'Signed JWT (RFC 9068); send it as "Authorization: Bearer <token>"' }),
  refreshToken: Type.String({ 'x-sensitive': true, description: 'Opaque; gets the next pair from /auth/refresh' }),
  tokenType: Type.Literal('Bearer'),
  expiresIn: Type.Integer({ description: 'Seconds until the access token expires' }),
  refreshExpiresIn: Type.Integer({ description: 'Seconds until the refresh token expires if it is not used' }),
  sessionId: Uuid()
}

export const refreshTokenExample = 'asr_1.Zk3v0aQx.AZIAAAAAcACAAAAAAAAAAg.0.c2VjcmV0LW9mLXRoZS1zZXNzaW9uLTI1Ni1iaXRzLWxvbmc.bWFjLW9mLXRoZS10b2tlbi1rZXllZC1mcm9tLXNlY3JldHM'

export const deviceTokenExample = 'asd_1.Zk3v0aQx.ZGV2aWNlLWlkLW9mLTEyOA.1767225600000.1782777600000.bWFjLW9mLXRoZS10b2tlbi1rZXllZC1mcm9tLXNlY3JldHM'

/** What tells that somebody signed in on a device before. */
export const DeviceToken = (description: string) => Type.String({ 'x-sensitive': true, description, examples: [deviceTokenExample] })

const tokenPairExample = {
  accessToken: 'eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9.e30.c2lnbmF0dXJl',
  refreshToken: refreshTokenExample,
  tokenType: 'Bearer',
  expiresIn: 900,
  refreshExpiresIn: 1_209_600,
  sessionId: '01920000-0000-7000-8000-000000000002'
}

/** The tokens of a session. */
export const TokenPairSchema = Type.Object(tokenPairProperties, { title: 'TokenPair', examples: [tokenPairExample] })
export type TokenPair = Static<typeof TokenPairSchema>

/** What a successful login answers. */
export const LoginResultSchema = Type.Object({ ...tokenPairProperties, user: UserSchema, deviceToken: DeviceToken('Keep it on this device and send it with its next login: the device is known by it') }, {
  title: 'LoginResult',
  examples: [{ ...tokenPairExample, user: userExample, deviceToken: deviceTokenExample }]
})
export type LoginResult = Static<typeof LoginResultSchema>

/** A response that is a TokenPair. */
export const tokenPairResponse = (description: string): typeof TokenPairSchema => ({ ...TokenPairSchema, 'x-response-description': description })

/** A response that is a LoginResult. */
export const loginResponse = (description: string): typeof LoginResultSchema => ({ ...LoginResultSchema, 'x-response-description': description })

/** A refresh token as it is sent in a body. */
export const RefreshToken = () => Type.String({ 'x-sensitive': true, description: 'The newest refresh token of the session', examples: [refreshTokenExample] })

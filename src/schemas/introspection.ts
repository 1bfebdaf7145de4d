import { Type, type Static } from '@sinclair/typebox'
import { Uuid } from './text.ts'

const seconds = (description: string) => Type.Optional(Type.Integer({ description: `${description}, in seconds since the epoch` }))

/** What RFC 7662, 2.2 answers; the members beside `active` are there while it is true. */
export const IntrospectionSchema = Type.Object({
  active: Type.Boolean({ description: 'The token is an access token of this service, and nobody ended it' }),
  token_type: Type.Optional(Type.Literal('Bearer')),
  iss: Type.Optional(Type.String()),
  aud: Type.Optional(Type.String()),
  sub: Type.Optional(Uuid({ description: 'Id of the user' })),
  client_id: Type.Optional(Type.String()),
  exp: seconds('When it expires'),
  iat: seconds('When it was issued'),
  nbf: seconds('From when it counts'),
  jti: Type.Optional(Type.String()),
  sid: Type.Optional(Uuid({ description: 'Id of the session' })),
  ver: Type.Optional(Type.Integer({ description: 'Version of what the user may do' })),
  roles: Type.Optional(Type.Array(Type.String())),
  auth_time: seconds('When the user last proved who they are'),
  amr: Type.Optional(Type.Array(Type.String(), { description: 'How (RFC 8176)' }))
}, {
  title: 'Introspection',
  examples: [{
    active: true,
    token_type: 'Bearer',
    iss: 'https://accounts.example.com',
    aud: 'auth-serve',
    sub: '01920000-0000-7000-8000-000000000001',
    client_id: 'auth-serve',
    exp: 1_767_269_700,
    iat: 1_767_268_800,
    nbf: 1_767_268_800,
    jti: '3f0cf9f8-6c39-4b53-8f4c-1b0ff1f9c6ad',
    sid: '01920000-0000-7000-8000-000000000002',
    ver: 1,
    roles: ['user'],
    auth_time: 1_767_268_800,
    amr: ['pwd']
  }, { active: false }]
})
export type Introspection = Static<typeof IntrospectionSchema>

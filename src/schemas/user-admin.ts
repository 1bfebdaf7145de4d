import { Type, type Static } from '@sinclair/typebox'
import { Nullable } from './nullable.ts'
import { PageQuerySchema } from './page.ts'
import { sessionExample } from './session.ts'
import { StrictObject } from './strict.ts'
import { Email, Text, Username, Uuid } from './text.ts'
import { userExample } from './user.ts'

const Name = () => Text({ minLength: 1, maxLength: 100 })
const RoleName = () => Text({ minLength: 1, maxLength: 32 })
const Roles = () => Type.Array(RoleName(), { maxItems: 50, uniqueItems: true, description: 'Everybody has "user", named or not. You may give and take only roles that allow nothing which yours do not' })

const sort = Type.Union([
  Type.Literal('createdAt'), Type.Literal('-createdAt'), Type.Literal('email'), Type.Literal('-email'), Type.Literal('lastLoginAt'), Type.Literal('-lastLoginAt')
], { default: '-createdAt', description: '"-" for the greatest first; who never signed in stands before everybody who did, so first in "lastLoginAt" and last in "-lastLoginAt"' })

export const UserListQuerySchema = StrictObject({
  search: Type.Optional(Text({ minLength: 1, maxLength: 100, description: 'Part of the e-mail address, the username or the name, regardless of case; the beginning of one (or of the last name) where it is too short for the index, or the database has none for parts' })),
  email: Type.Optional(Email({ description: 'The whole e-mail address, in any spelling' })),
  role: Type.Optional(RoleName()),
  isActive: Type.Optional(Type.Boolean()),
  sort,
  ...PageQuerySchema.properties
})
export type UserListQuery = Static<typeof UserListQuerySchema>

export const CreateUserBodySchema = StrictObject({
  email: Email(),
  roles: Type.Optional(Roles()),
  username: Type.Optional(Username()),
  firstName: Type.Optional(Name()),
  lastName: Type.Optional(Name())
}, { examples: [{ email: userExample.email, roles: ['user'], firstName: userExample.firstName, lastName: userExample.lastName }] })
export type NewUserBody = Static<typeof CreateUserBodySchema>

export const UpdateUserBodySchema = StrictObject({
  roles: Type.Optional(Roles()),
  isActive: Type.Optional(Type.Boolean({ description: 'Whoever is not active cannot sign in; their sessions end at once' })),
  username: Type.Optional(Nullable(Username())),
  firstName: Type.Optional(Nullable(Name())),
  lastName: Type.Optional(Nullable(Name()))
}, { examples: [{ roles: ['user', 'admin'] }, { isActive: false }] })
export type UserChanges = Static<typeof UpdateUserBodySchema>

const id = Uuid({ description: 'Id of the user', examples: [userExample.id] })
export const UserParamsSchema = StrictObject({ id })
export const UserSessionParamsSchema = StrictObject({ id, sessionId: Uuid({ description: 'A session of theirs', examples: [sessionExample.id] }) })

import { Type, type Static } from '@sinclair/typebox'
import { Nullable } from './nullable.ts'
import { DateTime, Uuid } from './text.ts'

export const userExample = {
  id: '01920000-0000-7000-8000-000000000001',
  email: 'ada@example.com',
  emailVerified: false,
  username: 'ada',
  firstName: 'Ada',
  lastName: 'Lovelace',
  roles: ['user'],
  isActive: true,
  createdAt: '2026-01-01T12:00:00.000Z',
  updatedAt: '2026-01-01T12:00:00.000Z',
  lastLoginAt: null
}

/** A person as the API shows them. */
export const UserSchema = Type.Object({
  id: Uuid({ description: 'UUIDv7' }),
  email: Type.String({ description: 'The e-mail address as it was given' }),
  emailVerified: Type.Boolean({ description: 'Whether the person proved that the address is theirs' }),
  username: Nullable(Type.String()),
  firstName: Nullable(Type.String()),
  lastName: Nullable(Type.String()),
  roles: Type.Array(Type.String(), { description: 'Every user has the role "user"' }),
  isActive: Type.Boolean(),
  createdAt: DateTime(),
  updatedAt: DateTime(),
  lastLoginAt: Nullable(DateTime())
}, { title: 'User', examples: [userExample] })
export type User = Static<typeof UserSchema>

/** A response that is a User. */
export const userResponse = (description: string): typeof UserSchema => ({ ...UserSchema, 'x-response-description': description })

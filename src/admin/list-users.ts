import { Type } from '@sinclair/typebox'
import { canonicalEmail } from '../accounts/email.ts'
import { toUser } from '../accounts/to-user.ts'
import type { Database } from '../db/stores.ts'
import type { UserPosition, UserSort } from '../db/user-query.ts'
import type { UserRow } from '../db/users.ts'
import { invalidInput } from '../errors.ts'
import type { Secrets } from '../keys/secrets.ts'
import { createCursors } from '../pagination/cursor.ts'
import { toPage } from '../pagination/to-page.ts'
import { Nullable } from '../schemas/nullable.ts'
import { StrictObject } from '../schemas/strict.ts'
import type { User } from '../schemas/user.ts'
import type { UserListQuery } from '../schemas/user-admin.ts'
import type { FieldRules } from './field-rules.ts'

/**
 * One page of the people, deleted ones excepted. Throws CodedError INVALID_INPUT for a role that is unknown and for a
 * cursor that is not of this list with these filters in this order.
 */
export type ListUsers = (query: UserListQuery) => Promise<{ items: User[], nextCursor: string | null }>

export interface ListUsersDependencies { database: Database, secrets: Secrets, rules: FieldRules }

/** The place of a person in an order. */
function positionOf ({ id, emailCanonical, createdAt, lastLoginAt }: UserRow, sort: UserSort): UserPosition {
  if (sort === 'email' || sort === '-email') return { value: emailCanonical, id }
  const moment = sort === 'createdAt' || sort === '-createdAt' ? createdAt : lastLoginAt
  return { value: moment?.toISOString() ?? null, id }
}

export function createListUsers ({ database, secrets, rules }: ListUsersDependencies): ListUsers {
  const cursors = createCursors({ secrets, list: 'users', position: StrictObject({ value: Nullable(Type.String()), id: Type.String() }) })
  return async ({ email: address, search, role, isActive, sort, limit, cursor }) => {
    if (role !== undefined) rules.requireKnown(role)
    // An address in whatever spelling is the same filter.
    const email = address === undefined ? undefined : canonicalEmail(address)
    if (address !== undefined && email === undefined) throw invalidInput([{ path: '/query/email', code: 'format', message: 'Give an e-mail address such as ada@example.com.' }])
    const binding = [email ?? null, search ?? null, role ?? null, isActive === undefined ? null : String(isActive), sort]
    const after = cursor === undefined ? undefined : cursors.read(cursor, binding)
    const rows = await database.users.list({ email, search, role, isActive, sort, after, limit: limit + 1 })
    return toPage(rows, limit, toUser, row => cursors.write(positionOf(row, sort), binding))
  }
}

import type { UserRow } from '../db/users.ts'
import type { User } from '../schemas/user.ts'

/** What of an account the API shows. */
export function toUser (row: UserRow): User {
  return {
    id: row.id,
    email: row.email,
    emailVerified: row.emailVerifiedAt !== null,
    username: row.username,
    firstName: row.firstName,
    lastName: row.lastName,
    roles: row.roles,
    isActive: row.isActive,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
    lastLoginAt: row.lastLoginAt?.toISOString() ?? null
  }
}

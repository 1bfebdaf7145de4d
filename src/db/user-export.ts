import { and, asc, gt, isNull, sql } from 'drizzle-orm'
import type { Run } from './pool.ts'
import { users } from './tables.ts'

const columns = {
  id: users.id,
  email: users.email,
  emailVerifiedAt: users.emailVerifiedAt,
  username: users.username,
  firstName: users.firstName,
  lastName: users.lastName,
  roles: users.roles,
  isActive: users.isActive,
  createdAt: users.createdAt,
  updatedAt: users.updatedAt,
  lastLoginAt: users.lastLoginAt,
  passwordHash: users.passwordHash
}

export type UserExportStore = ReturnType<typeof createUserExportStore>

/** Everybody, a page at a time. */
export function createUserExportStore (run: Run) {
  return {
    /** Makes the transaction, whose first statement it must be, see one state of the database throughout, and change nothing. */
    async freeze (): Promise<void> {
      await run(async orm => await orm.execute(sql`set transaction isolation level repeatable read, read only`))
    },

    /** Those who were not deleted, in the order of their ids, from after this one. */
    async page (after: string | undefined, limit: number) {
      return await run(async orm => await orm.select(columns).from(users)
        .where(and(isNull(users.deletedAt), after === undefined ? undefined : gt(users.id, after))).orderBy(asc(users.id)).limit(limit))
    }
  }
}

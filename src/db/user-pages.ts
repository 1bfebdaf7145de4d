import { and, asc, eq, gt, isNull, sql } from 'drizzle-orm'
import type { Run } from './pool.ts'
import { users } from './tables.ts'

/** Which people; what is left out leaves nobody out. */
export interface UserFilter { emailCanonical?: string, role?: string, isActive?: boolean }

/** People one page at a time. */
export function createUserPages (run: Run) {
  return {
    /** People in the order in which they were made, from the one after `after` on; stable whoever joins meanwhile. */
    async page ({ emailCanonical, role, isActive }: UserFilter, { after, limit }: { after: string | undefined, limit: number }): Promise<(typeof users.$inferSelect)[]> {
      return await run(async orm => await orm.select().from(users).where(and(
        isNull(users.deletedAt),
        emailCanonical === undefined ? undefined : eq(users.emailCanonical, emailCanonical),
        role === undefined ? undefined : sql`${role} = any(${users.roles})`,
        isActive === undefined ? undefined : eq(users.isActive, isActive),
        after === undefined ? undefined : gt(users.id, after)
      )).orderBy(asc(users.id)).limit(limit))
    }
  }
}

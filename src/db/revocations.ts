import { asc, gt, lt, sql } from 'drizzle-orm'
import type { Run } from './pool.ts'
import { revocations } from './tables.ts'

/** Where the triggers, and {@link RevocationStore.beat}, tell every instance. */
export const revocationChannel = 'auth_serve'

/** A session whose tokens are refused, or a user of whom tokens below a version are. */
export type Revocation =
  | { kind: 'session', subjectId: string, expiresAt: Date }
  | { kind: 'user', subjectId: string, authzVersion: number, expiresAt: Date }

/** One page, and the database's clock when it was read. */
export interface RevocationPage { items: Revocation[], now: Date }

/** Seconds that a revocation outlives the last token that it is about; the triggers know the same number. */
export const revocationMarginSeconds = 60

export type RevocationStore = ReturnType<typeof createRevocationStore>

/** The aggregate of revocations. Triggers write the rows; see the table. */
export function createRevocationStore (run: Run) {
  return {
    /** Live rows in the order of their subjects, after this one; as many as `limit`. */
    async listLive (after: string | undefined, limit: number): Promise<RevocationPage> {
      return await run(async orm => {
        const rows = await orm.select().from(revocations)
          .where(after === undefined ? gt(revocations.expiresAt, sql`now()`) : sql`${revocations.expiresAt} > now() and ${revocations.subjectId} > ${after}`)
          .orderBy(asc(revocations.subjectId)).limit(limit)
        const [clock] = await orm.execute<{ now: string }>(sql`select now() as now`)
        return {
          items: rows.map(({ subjectId, expiresAt, authzVersion }) => authzVersion === null
            ? { kind: 'session' as const, subjectId, expiresAt }
            : { kind: 'user' as const, subjectId, authzVersion, expiresAt }),
          now: new Date(clock?.now ?? Date.now())
        }
      })
    },

    /** Tells every instance something that only the one that sent it understands; answers the database's clock. */
    async beat (payload: string): Promise<Date> {
      const [row] = await run(async orm => await orm.execute<{ now: string }>(sql`select now() as now, pg_notify(${revocationChannel}, ${payload})`))
      return new Date(row?.now ?? Date.now())
    },

    /** Forgets rows that are about no live token, `limit` at most; answers how many. */
    async purge (limit: number): Promise<number> {
      return await run(async orm => {
        // Locked as they are found: one that is made to live longer at this moment stays.
        const expired = orm.select({ subjectId: revocations.subjectId }).from(revocations).where(lt(revocations.expiresAt, sql`now()`)).limit(limit).for('update', { skipLocked: true })
        return (await orm.delete(revocations).where(sql`${revocations.subjectId} = any(array(${expired}))`).returning({ subjectId: revocations.subjectId })).length
      })
    }
  }
}

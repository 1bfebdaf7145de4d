import { sql } from 'drizzle-orm'
import type { Run } from './pool.ts'

/** Work that one instance at a time does, with the advisory lock that says so. */
const locks = { maintenance: 0x61757468_6d61, 'audit-sealing': 0x61757468_7365 } as const

export type LockName = keyof typeof locks

export type LockStore = ReturnType<typeof createLockStore>

/** Advisory locks of the database; they go with the transaction that took them. */
export function createLockStore (run: Run) {
  return {
    /** Takes a lock for this transaction; false where another one has it. */
    async tryTake (name: LockName): Promise<boolean> {
      const [row] = await run(async orm => await orm.execute<{ taken: boolean }>(sql`select pg_try_advisory_xact_lock(${locks[name]}::bigint) as taken`))
      return row?.taken === true
    }
  }
}

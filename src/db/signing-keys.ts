import { and, asc, eq, isNull, sql } from 'drizzle-orm'
import type { Run } from './pool.ts'
import { signingKeys } from './tables.ts'

export type SigningKeyRow = typeof signingKeys.$inferSelect
export type NewSigningKey = Pick<SigningKeyRow, 'kid' | 'algorithm' | 'publicKey' | 'privateKey'>

/** Held while the first key is made, so that instances starting together agree on one. */
const signingKeyLock = 0x61757468_6b65

export type SigningKeyStore = ReturnType<typeof createSigningKeyStore>

/** The aggregate of signing keys. */
export function createSigningKeyStore (run: Run) {
  return {
    /** Waits until no other transaction makes keys; the lock goes with the transaction. */
    async lock (): Promise<void> {
      await run(async orm => await orm.execute(sql`select pg_advisory_xact_lock(${signingKeyLock}::bigint)`))
    },

    async insert (key: NewSigningKey): Promise<void> {
      await run(async orm => await orm.insert(signingKeys).values(key))
    },

    /** Replaces a sealed private part, unless somebody did so before. */
    async reseal (kid: string, before: string, after: string): Promise<void> {
      await run(async orm => await orm.update(signingKeys).set({ privateKey: after }).where(and(eq(signingKeys.kid, kid), eq(signingKeys.privateKey, before))))
    },

    /** Keys whose tokens are still accepted, oldest first. */
    async listUsable (): Promise<SigningKeyRow[]> {
      return await run(async orm => await orm.select().from(signingKeys)
        .where(and(isNull(signingKeys.retiredAt), isNull(signingKeys.revokedAt)))
        .orderBy(asc(signingKeys.createdAt), asc(signingKeys.kid)))
    }
  }
}

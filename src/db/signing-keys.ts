import { and, asc, eq, gt, isNotNull, isNull, lt, or, sql } from 'drizzle-orm'
import type { Run } from './pool.ts'
import { signingKeys } from './tables.ts'

export type SigningKeyRow = typeof signingKeys.$inferSelect
export type NewSigningKey = Pick<SigningKeyRow, 'kid' | 'algorithm' | 'publicKey'> & { privateKey: string }

/** Held while keys are made, so that instances starting together agree on one and rotate once. */
const signingKeyLock = 0x61757468_6b65

/** Seconds that a key is still taken after the last token that it signed: for clocks, and for instances that learn late. */
const afterglowSeconds = 60

/** The moment from which no token of a key can be alive; null while it signs. */
const endsAt = sql<Date | null>`${signingKeys.retiredAt} + make_interval(secs => ${signingKeys.tokenTtlSeconds} + ${afterglowSeconds})`.mapWith(signingKeys.retiredAt)

/** A key and when the last token that it signed has expired; null while it signs. */
export type ListedSigningKey = SigningKeyRow & { endsAt: Date | null }

/** The keys that matter to an instance, and the database's clock at that moment. */
export interface UsableKeys { rows: SigningKeyRow[], revoked: string[], now: Date }

export type SigningKeyStore = ReturnType<typeof createSigningKeyStore>

/** The aggregate of signing keys. */
export function createSigningKeyStore (run: Run) {
  const seconds = (value: number) => sql`make_interval(secs => ${value})`
  return {
    /** Waits until no other transaction makes keys; the lock goes with the transaction. */
    async lock (): Promise<void> {
      await run(async orm => await orm.execute(sql`select pg_advisory_xact_lock(${signingKeyLock}::bigint)`))
    },

    /**
     * Adds a key that signs in `activatesInSeconds`; where it succeeds the others, every key before it retires at that
     * moment. `tokenTtlSeconds` is the longest life of the tokens that it will sign. Answers the row.
     */
    async insert (key: NewSigningKey, { activatesInSeconds, tokenTtlSeconds, succeeds }: { activatesInSeconds: number, tokenTtlSeconds: number, succeeds: boolean }): Promise<ListedSigningKey> {
      const activatesAt = sql`now() + ${seconds(activatesInSeconds)}`
      return await run(async orm => {
        if (succeeds) await orm.update(signingKeys).set({ retiredAt: activatesAt }).where(or(isNull(signingKeys.retiredAt), gt(signingKeys.retiredAt, activatesAt)))
        const [row] = await orm.insert(signingKeys).values({ ...key, activatesAt, tokenTtlSeconds }).returning()
        if (row === undefined) throw new TypeError('the inserted key was not returned')
        return { ...row, endsAt: null }
      })
    },

    /** Replaces a sealed private part, unless somebody did so before. */
    async reseal (kid: string, before: string, after: string): Promise<void> {
      await run(async orm => await orm.update(signingKeys).set({ privateKey: after }).where(and(eq(signingKeys.kid, kid), eq(signingKeys.privateKey, before))))
    },

    /** Notes that tokens of these lives (seconds) are signed with a key; it is taken for that much longer. */
    async extend (kid: string, tokenTtlSeconds: number): Promise<void> {
      await run(async orm => await orm.update(signingKeys).set({ tokenTtlSeconds }).where(and(eq(signingKeys.kid, kid), lt(signingKeys.tokenTtlSeconds, tokenTtlSeconds))))
    },

    /** Keys whose tokens are still accepted, in the order in which they sign; ids of those that were revoked; the clock. */
    async listUsable (): Promise<UsableKeys> {
      return await run(async orm => {
        const rows = await orm.select({ key: signingKeys, usable: sql<boolean>`${signingKeys.revokedAt} is null and coalesce(${endsAt} > now(), true)`, now: sql<Date>`now()::timestamptz(3)`.mapWith(signingKeys.createdAt) })
          .from(sql`(select 1) as one`).leftJoin(signingKeys, sql`true`)
          .orderBy(asc(signingKeys.activatesAt), asc(signingKeys.createdAt), asc(signingKeys.kid))
        return {
          rows: rows.flatMap(({ key, usable }) => key !== null && usable ? [key] : []),
          revoked: rows.flatMap(({ key }) => key !== null && key.revokedAt !== null ? [key.kid] : []),
          now: rows[0]?.now ?? new Date()
        }
      })
    },

    /** Every key that was not forgotten, newest first. */
    async list (): Promise<ListedSigningKey[]> {
      const rows = await run(async orm => await orm.select({ key: signingKeys, endsAt }).from(signingKeys))
      return rows.map(({ key, endsAt }) => ({ ...key, endsAt })).sort((a, b) => b.activatesAt.getTime() - a.activatesAt.getTime() || b.createdAt.getTime() - a.createdAt.getTime())
    },

    /** Revokes a stored key and forgets its private part; answers false for an unknown one. */
    async revoke (kid: string): Promise<boolean> {
      const rows = await run(async orm => await orm.update(signingKeys)
        .set({ revokedAt: sql`coalesce(${signingKeys.revokedAt}, now())`, retiredAt: sql`least(${signingKeys.retiredAt}, now())`, privateKey: null })
        .where(eq(signingKeys.kid, kid)).returning({ kid: signingKeys.kid }))
      return rows.length === 1
    },

    /** Remembers that a key that is managed outside is revoked. */
    async insertRevoked (key: Omit<NewSigningKey, 'privateKey'>): Promise<void> {
      await run(async orm => await orm.insert(signingKeys).values({ ...key, privateKey: null, retiredAt: sql`now()`, revokedAt: sql`now()` })
        .onConflictDoUpdate({ target: signingKeys.kid, set: { privateKey: null, revokedAt: sql`now()` } }))
    },

    /** Retires every stored key now: those that are managed outside sign instead. */
    async retireAll (): Promise<void> {
      await run(async orm => await orm.update(signingKeys).set({ retiredAt: sql`now()` }).where(or(isNull(signingKeys.retiredAt), gt(signingKeys.retiredAt, sql`now()`))))
    },

    /** Forgets the private parts of keys that no longer sign; answers how many. */
    async forgetPrivateParts (): Promise<number> {
      return (await run(async orm => await orm.update(signingKeys).set({ privateKey: null })
        .where(and(isNotNull(signingKeys.privateKey), lt(endsAt, sql`now()`))).returning({ kid: signingKeys.kid }))).length
    }
  }
}

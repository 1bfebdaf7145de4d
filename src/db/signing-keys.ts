import { and, asc, desc, eq, gt, inArray, isNotNull, isNull, lt, ne, or, sql } from 'drizzle-orm'
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

/**
 * This moment. Not now(), which is when the transaction began: whoever waited for the lock would take a key for one of the
 * future, and set the clock back.
 */
const thisMoment = sql`statement_timestamp()`

/** A key and when the last token that it signed has expired; null while it signs. */
export type ListedSigningKey = SigningKeyRow & { endsAt: Date | null }

/** The keys that matter to an instance, and the database's clock at that moment. */
export interface UsableKeys { rows: SigningKeyRow[], revoked: string[], now: Date }

/** Every key, and the database's clock at that moment. */
export interface ListedKeys { keys: ListedSigningKey[], now: Date }

export type SigningKeyStore = ReturnType<typeof createSigningKeyStore>

/** The aggregate of signing keys. */
export function createSigningKeyStore (run: Run) {
  const seconds = (value: number) => sql`make_interval(secs => ${value})`
  const clock = sql<Date>`${thisMoment}::timestamptz(3)`.mapWith(signingKeys.createdAt)
  return {
    /** Waits until no other transaction makes keys; the lock goes with the transaction. */
    async lock (): Promise<void> {
      await run(async orm => await orm.execute(sql`select pg_advisory_xact_lock(${signingKeyLock}::bigint)`))
    },

    /**
     * Adds a key that signs in `activatesInSeconds`, and retires at that moment every other key, or those that are named.
     * `tokenTtlSeconds` is the longest life of the tokens that it will sign. Answers the row.
     */
    async insert (key: NewSigningKey, { activatesInSeconds, tokenTtlSeconds, retires }: { activatesInSeconds: number, tokenTtlSeconds: number, retires?: string[] }): Promise<ListedSigningKey> {
      return await run(async orm => {
        const [row] = await orm.insert(signingKeys)
          .values({ ...key, createdAt: thisMoment, activatesAt: sql`${thisMoment} + ${seconds(activatesInSeconds)}`, tokenTtlSeconds }).returning()
        if (row === undefined) throw new TypeError('the inserted key was not returned')
        const { kid, activatesAt } = row
        await orm.update(signingKeys).set({ retiredAt: activatesAt })
          .where(and(ne(signingKeys.kid, kid), retires && inArray(signingKeys.kid, retires), or(isNull(signingKeys.retiredAt), gt(signingKeys.retiredAt, activatesAt))))
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
        const usable = sql<boolean>`(${signingKeys.revokedAt} is null and coalesce(${endsAt} > ${thisMoment}, true))`
        const rows = await orm.select({ key: signingKeys, usable, now: clock })
          .from(sql`(select 1) as one`).leftJoin(signingKeys, or(isNotNull(signingKeys.revokedAt), usable))
          .orderBy(asc(signingKeys.activatesAt), asc(signingKeys.createdAt), asc(signingKeys.kid))
        return {
          rows: rows.flatMap(({ key, usable }) => key !== null && usable ? [key] : []),
          revoked: rows.flatMap(({ key }) => key !== null && key.revokedAt !== null ? [key.kid] : []),
          now: rows[0]?.now ?? new Date()
        }
      })
    },

    /** Every key that was ever known, newest first. */
    async list (): Promise<ListedKeys> {
      const rows = await run(async orm => await orm.select({ key: signingKeys, endsAt, now: clock })
        .from(sql`(select 1) as one`).leftJoin(signingKeys, sql`true`)
        .orderBy(desc(signingKeys.activatesAt), desc(signingKeys.createdAt), asc(signingKeys.kid)))
      return { keys: rows.flatMap(({ key, endsAt }) => key === null ? [] : [{ ...key, endsAt }]), now: rows[0]?.now ?? new Date() }
    },

    /** One key, whatever became of it. */
    async find (kid: string): Promise<SigningKeyRow | undefined> {
      const [row] = await run(async orm => await orm.select().from(signingKeys).where(eq(signingKeys.kid, kid)))
      return row
    },

    /** Revokes a stored key and forgets its private part. */
    async revoke (kid: string): Promise<void> {
      await run(async orm => await orm.update(signingKeys)
        .set({ revokedAt: sql`coalesce(${signingKeys.revokedAt}, ${thisMoment})`, retiredAt: sql`least(${signingKeys.retiredAt}, ${thisMoment})`, privateKey: null })
        .where(eq(signingKeys.kid, kid)))
    },

    /** Remembers that a key that is managed outside is revoked. */
    async insertRevoked (key: Omit<NewSigningKey, 'privateKey'>): Promise<void> {
      await run(async orm => await orm.insert(signingKeys).values({ ...key, privateKey: null, retiredAt: thisMoment, revokedAt: thisMoment })
        .onConflictDoUpdate({ target: signingKeys.kid, set: { privateKey: null, revokedAt: thisMoment } }))
    },

    /** Lets a key sign until this moment at least. */
    async retireNoSooner (kid: string, moment: Date): Promise<void> {
      await run(async orm => await orm.update(signingKeys).set({ retiredAt: moment }).where(and(eq(signingKeys.kid, kid), lt(signingKeys.retiredAt, moment))))
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

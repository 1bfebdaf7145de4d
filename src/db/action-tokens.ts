import { and, eq, gt, inArray, isNull, lt, ne, or, sql } from 'drizzle-orm'
import type { Run } from './pool.ts'
import { actionTokens, users, type actionPurposes } from './tables.ts'

/** What a token that goes out by mail lets its holder do. */
export type ActionPurpose = typeof actionPurposes[number]

export interface NewActionToken {
  tokenHash: Buffer
  purpose: ActionPurpose
  userId: string
  /** The canonical address that the token goes to. */
  email: string
  data?: Record<string, string>
  ttlSeconds: number
}

/** A token that is good: whose it is and what its use brings into force. */
export interface ActionToken { userId: string, email: string, data: Record<string, string> }

/** Some of the links that a person was sent, or is owed. */
export interface LinksOfPerson {
  purposes: readonly ActionPurpose[]
  /**
   * And those that take back a change of e-mail, from this one on: the version that {@link UserStore.changeEmail} answered,
   * which is kept with such a link.
   */
  undone?: number
}

export type ActionTokenStore = ReturnType<typeof createActionTokenStore>

const columns = { userId: actionTokens.userId, email: actionTokens.email, data: actionTokens.data }

/** Tokens that go out by mail. A used one is gone, so used, superseded and unknown are one. */
export function createActionTokenStore (run: Run) {
  const good = (tokenHash: Buffer, purpose: ActionPurpose) =>
    and(eq(actionTokens.tokenHash, tokenHash), eq(actionTokens.purpose, purpose), gt(actionTokens.expiresAt, sql`now()`))
  return {
    /**
     * Stores a token, or gives it its life anew where it is stored already; where `supersedes`, every other one of the person
     * and purpose is void. Those that carry a registration of their own stand side by side until one is used.
     */
    async issue ({ ttlSeconds, ...token }: NewActionToken, { supersedes }: { supersedes: boolean }): Promise<void> {
      const expiresAt = sql`now() + make_interval(secs => ${ttlSeconds})`
      await run(async orm => {
        if (supersedes) {
          const others = and(eq(actionTokens.userId, token.userId), eq(actionTokens.purpose, token.purpose), ne(actionTokens.tokenHash, token.tokenHash))
          await orm.delete(actionTokens).where(and(others, sql`${actionTokens.data} ->> 'passwordHash' is null`))
        }
        await orm.insert(actionTokens).values({ ...token, expiresAt }).onConflictDoUpdate({ target: actionTokens.tokenHash, set: { expiresAt } })
      })
    },

    /** Gives a token that is not used and not superseded its life anew, also where it has expired; answers whether there is one. */
    async renew (tokenHash: Buffer, purpose: ActionPurpose, ttlSeconds: number): Promise<boolean> {
      const rows = await run(async orm => await orm.update(actionTokens).set({ expiresAt: sql`now() + make_interval(secs => ${ttlSeconds})` })
        .where(and(eq(actionTokens.tokenHash, tokenHash), eq(actionTokens.purpose, purpose))).returning({ userId: actionTokens.userId }))
      return rows.length === 1
    },

    /** The token if it is good for this purpose and its account is in use. It stays good. */
    async find (tokenHash: Buffer, purpose: ActionPurpose): Promise<ActionToken | undefined> {
      const [row] = await run(async orm => await orm.select(columns).from(actionTokens).innerJoin(users, eq(users.id, actionTokens.userId))
        .where(and(good(tokenHash, purpose), users.isActive, isNull(users.deletedAt))))
      return row
    },

    /** Uses a good token up: of many at once one gets it. Undo it by rolling the transaction back. */
    async consume (tokenHash: Buffer, purpose: ActionPurpose): Promise<ActionToken | undefined> {
      const [row] = await run(async orm => await orm.delete(actionTokens).where(good(tokenHash, purpose)).returning(columns))
      return row
    },

    /** Makes these tokens of a person void. */
    async revoke (userId: string, { purposes, undone }: LinksOfPerson): Promise<void> {
      const undoes = undone === undefined ? undefined : and(eq(actionTokens.purpose, 'undo-email-change'), sql`(${actionTokens.data} ->> 'version')::int >= ${undone}`)
      await run(async orm => await orm.delete(actionTokens).where(and(eq(actionTokens.userId, userId), or(inArray(actionTokens.purpose, purposes), undoes))))
    },

    /** Whether a person has a token for this that is good. */
    async hasGood (userId: string, purpose: ActionPurpose): Promise<boolean> {
      const [row] = await run(async orm => await orm.select({ userId: actionTokens.userId }).from(actionTokens)
        .where(and(eq(actionTokens.userId, userId), eq(actionTokens.purpose, purpose), gt(actionTokens.expiresAt, sql`now()`))).limit(1))
      return row !== undefined
    },

    /** Removes those that expired this many seconds ago, `limit` at most; answers how many. */
    async purge ({ expiredForSeconds, limit }: { expiredForSeconds: number, limit: number }): Promise<number> {
      return await run(async orm => {
        const expired = orm.select({ tokenHash: actionTokens.tokenHash }).from(actionTokens).where(lt(actionTokens.expiresAt, sql`now() - make_interval(secs => ${expiredForSeconds})`)).limit(limit).for('update', { skipLocked: true })
        return (await orm.delete(actionTokens).where(sql`${actionTokens.tokenHash} = any(array(${expired}))`).returning({ userId: actionTokens.userId })).length
      })
    }
  }
}

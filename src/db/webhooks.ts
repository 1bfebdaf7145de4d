import { and, count, eq, gt, inArray, sql } from 'drizzle-orm'
import type { Run } from './pool.ts'
import { webhooks } from './tables.ts'

export type WebhookRow = typeof webhooks.$inferSelect
export type NewWebhook = Pick<WebhookRow, 'id' | 'url' | 'description' | 'eventTypes' | 'secret' | 'isActive'>
export type WebhookPatch = Partial<Pick<WebhookRow, 'url' | 'description' | 'eventTypes' | 'isActive'>>

/** Held by whoever adds one, so that their number has a bound. */
const addLock = 0x61757468_7768

export type WebhookStore = ReturnType<typeof createWebhookStore>

/** Programs that are told of events. */
export function createWebhookStore (run: Run) {
  return {
    /** Adds one unless there are so many already; answers undefined then. Only in a transaction. */
    async insert (webhook: NewWebhook, max: number): Promise<WebhookRow | undefined> {
      return await run(async orm => {
        await orm.execute(sql`select pg_advisory_xact_lock(${addLock}::bigint)`)
        const [found] = await orm.select({ count: count() }).from(webhooks)
        if (found === undefined || found.count >= max) return undefined
        const [row] = await orm.insert(webhooks).values(webhook).returning()
        return row
      })
    },

    async find (id: string): Promise<WebhookRow | undefined> {
      const [row] = await run(async orm => await orm.select().from(webhooks).where(eq(webhooks.id, id)))
      return row
    },

    /** In the order of their making, from the one after `after` on. */
    async list ({ after, limit }: { after: string | undefined, limit: number }): Promise<WebhookRow[]> {
      return await run(async orm => await orm.select().from(webhooks).where(after === undefined ? undefined : gt(webhooks.id, after)).orderBy(webhooks.id).limit(limit))
    },

    async update (id: string, patch: WebhookPatch): Promise<WebhookRow | undefined> {
      const [row] = await run(async orm => await orm.update(webhooks).set({ ...patch, updatedAt: sql`now()` }).where(eq(webhooks.id, id)).returning())
      return row
    },

    /** Signs with another secret; the one from before signs too for so many seconds. */
    async rotateSecret (id: string, secret: string, graceSeconds: number): Promise<WebhookRow | undefined> {
      const [row] = await run(async orm => await orm.update(webhooks)
        .set({ secret, previousSecret: sql`${webhooks.secret}`, previousSecretUntil: sql`now() + make_interval(secs => ${graceSeconds})`, updatedAt: sql`now()` })
        .where(eq(webhooks.id, id)).returning())
      return row
    },

    async remove (id: string): Promise<WebhookRow | undefined> {
      const [row] = await run(async orm => await orm.delete(webhooks).where(eq(webhooks.id, id)).returning())
      return row
    },

    /** Secrets that no longer sign. */
    async forgetPreviousSecrets (): Promise<void> {
      await run(async orm => await orm.update(webhooks).set({ previousSecret: null, previousSecretUntil: null }).where(sql`${webhooks.previousSecretUntil} <= now()`))
    },

    /** Puts the same secrets under another seal, unless they were changed meanwhile. */
    async reseal ({ id, secret, previousSecret }: WebhookRow, sealed: Pick<WebhookRow, 'secret' | 'previousSecret'>): Promise<void> {
      await run(async orm => await orm.update(webhooks).set(sealed)
        .where(and(eq(webhooks.id, id), eq(webhooks.secret, secret), sql`${webhooks.previousSecret} is not distinct from ${previousSecret}`)))
    },

    /** Which of these are told of events. */
    async findActive (ids: string[]): Promise<Set<string>> {
      if (ids.length === 0) return new Set()
      const rows = await run(async orm => await orm.select({ id: webhooks.id }).from(webhooks).where(and(webhooks.isActive, inArray(webhooks.id, ids))))
      return new Set(rows.map(row => row.id))
    }
  }
}

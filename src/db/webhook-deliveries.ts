import { and, desc, eq, gt, inArray, lt, ne, sql } from 'drizzle-orm'
import type { PgUpdateSetSource } from 'drizzle-orm/pg-core'
import type { AuditEventRow } from './audit-events.ts'
import type { Run } from './pool.ts'
import { auditEvents, webhookDeliveries as deliveries, webhooks } from './tables.ts'
import type { WebhookRow } from './webhooks.ts'

export type DeliveryRow = typeof deliveries.$inferSelect

/** A delivery that this worker alone makes until `leasedUntil`; that moment tells its lease from any other. */
export type LeasedDelivery = Pick<DeliveryRow, 'eventId' | 'webhookId' | 'occurredAt' | 'eventType' | 'attempts' | 'retriesSince'> & { leasedUntil: Date }

export type DeliveryKey = Pick<DeliveryRow, 'eventId' | 'webhookId'>
export type DeliveryLease = DeliveryKey & { leasedUntil: Date }

export interface DeliveryFailure { status: number | null, error: string }
export interface DeliverySummary { pending: number, failed: number, oldestPendingSeconds: number | null }

export type WebhookDeliveryStore = ReturnType<typeof createWebhookDeliveryStore>

const seconds = (value: number) => sql`make_interval(secs => ${value})`
const isPending = eq(deliveries.status, 'pending')
const over = { leasedUntil: null, nextAttemptAt: sql`now()` }

/** Events that webhooks are owed. Whoever settles one must hold its lease; where that is over nothing changes and the answer is false. */
export function createWebhookDeliveryStore (run: Run) {
  const isOne = ({ eventId, webhookId }: DeliveryKey) => and(eq(deliveries.eventId, eventId), eq(deliveries.webhookId, webhookId))
  const ours = (lease: DeliveryLease) => and(isOne(lease), isPending, eq(deliveries.leasedUntil, lease.leasedUntil))
  const settle = async (lease: DeliveryLease, changes: PgUpdateSetSource<typeof deliveries>): Promise<boolean> =>
    (await run(async orm => await orm.update(deliveries).set(changes).where(ours(lease)).returning({ id: deliveries.eventId }))).length === 1

  return {
    /**
     * Takes what is due, the longest due first, for this many seconds, and counts the attempt: `limit` in all, and so many
     * to one receiver that with those in `load` it has no more than `share`. No transaction stays open.
     */
    async lease ({ limit, share, load, leaseSeconds }: { limit: number, share: number, load: Readonly<Record<string, number>>, leaseSeconds: number }): Promise<LeasedDelivery[]> {
      return await run(async orm => {
        // Receiver by receiver, so that what one is owed does not stand before what the others are.
        const due = sql`(
          select d.event_id, d.webhook_id from ${webhooks} w cross join lateral (
            select event_id, webhook_id, next_attempt_at from ${deliveries}
            where webhook_id = w.id and status = 'pending' and next_attempt_at <= now() and (leased_until is null or leased_until <= now())
            order by next_attempt_at limit greatest(0, ${share} - coalesce((${JSON.stringify(load)}::jsonb ->> w.id::text)::int, 0)) for update skip locked
          ) d where w.is_active order by d.next_attempt_at limit ${limit}) due`
        return await orm.update(deliveries).set({ attempts: sql`${deliveries.attempts} + 1`, leasedUntil: sql`now() + ${seconds(leaseSeconds)}` })
          .from(due).where(sql`${deliveries.eventId} = due.event_id and ${deliveries.webhookId} = due.webhook_id`)
          .returning({
            eventId: deliveries.eventId,
            webhookId: deliveries.webhookId,
            occurredAt: deliveries.occurredAt,
            eventType: deliveries.eventType,
            attempts: deliveries.attempts,
            retriesSince: deliveries.retriesSince,
            leasedUntil: sql<Date>`${deliveries.leasedUntil}`.mapWith(deliveries.leasedUntil)
          })
      })
    },

    /** What is to be said, and to whom; undefined where the receiver is told no more, or the event is not in the trail any more. */
    async load ({ eventId, webhookId, occurredAt }: LeasedDelivery): Promise<{ webhook: WebhookRow, event: AuditEventRow } | undefined> {
      const [row] = await run(async orm => await orm.select({ webhook: webhooks, event: auditEvents }).from(webhooks)
        .innerJoin(auditEvents, and(eq(auditEvents.occurredAt, occurredAt), eq(auditEvents.id, eventId)))
        .where(and(eq(webhooks.id, webhookId), webhooks.isActive)))
      return row
    },

    /** Owes a webhook an event of this transaction, whatever types it asked for. */
    async owe ({ eventId, webhookId, eventType }: DeliveryKey & { eventType: string }): Promise<void> {
      await run(async orm => await orm.insert(deliveries).values({ eventId, webhookId, eventType, occurredAt: sql`now()` }))
    },

    markDelivered: async (lease: DeliveryLease, status: number): Promise<boolean> =>
      await settle(lease, { ...over, status: 'delivered', deliveredAt: sql`now()`, lastStatus: status, lastError: null }),

    /** It is tried again after this many seconds. */
    retryLater: async (lease: DeliveryLease, { status, error }: DeliveryFailure, delaySeconds: number): Promise<boolean> =>
      await settle(lease, { leasedUntil: null, nextAttemptAt: sql`now() + ${seconds(delaySeconds)}`, lastStatus: status, lastError: error }),

    /** It is given up, until somebody asks for it. */
    markFailed: async (lease: DeliveryLease, { status, error }: DeliveryFailure): Promise<boolean> =>
      await settle(lease, { ...over, status: 'failed', lastStatus: status, lastError: error }),

    /** Gives up what has been due to these webhooks for so many seconds, `limit` at most; answers how many. */
    async giveUp ({ webhookIds, dueSeconds, error, limit }: { webhookIds: string[], dueSeconds: number, error: string, limit: number }): Promise<number> {
      return await run(async orm => {
        const late = orm.select({ eventId: deliveries.eventId, webhookId: deliveries.webhookId }).from(deliveries)
          .where(and(inArray(deliveries.webhookId, webhookIds), isPending, lt(deliveries.nextAttemptAt, sql`now() - ${seconds(dueSeconds)}`), sql`(${deliveries.leasedUntil} is null or ${deliveries.leasedUntil} <= now())`))
          .limit(limit).for('update', { skipLocked: true }).as('late')
        return (await orm.update(deliveries).set({ ...over, status: 'failed', lastError: sql`coalesce(${deliveries.lastError}, ${error})` })
          .from(late).where(and(eq(deliveries.eventId, late.eventId), eq(deliveries.webhookId, late.webhookId))).returning({ id: deliveries.eventId })).length
      })
    },

    /** It was not tried after all, and is due as before. Whoever asked for it meanwhile has set the count back. */
    giveBack: async (lease: DeliveryLease): Promise<boolean> => await settle(lease, { leasedUntil: null, attempts: sql`greatest(${deliveries.attempts} - 1, 0)` }),

    /** Nothing is owed. */
    async discard (lease: DeliveryLease): Promise<void> {
      await run(async orm => await orm.delete(deliveries).where(ours(lease)))
    },

    /** After an outage of a receiver: makes what it is owed due within the next moments, `limit` at most. */
    async hasten ({ webhookId, spreadSeconds, limit }: { webhookId: string, spreadSeconds: number, limit: number }): Promise<void> {
      await run(async orm => {
        const waiting = orm.select({ eventId: deliveries.eventId }).from(deliveries)
          .where(and(eq(deliveries.webhookId, webhookId), isPending, gt(deliveries.nextAttemptAt, sql`now()`)))
          .orderBy(deliveries.nextAttemptAt).limit(limit).for('update', { skipLocked: true })
        await orm.update(deliveries).set({ nextAttemptAt: sql`now() + random() * ${seconds(spreadSeconds)}` })
          .where(and(eq(deliveries.webhookId, webhookId), sql`${deliveries.eventId} = any(array(${waiting}))`))
      })
    },

    /** What a webhook was and is owed, newest first, from the one after `after` on. */
    async list ({ webhookId, status, after, limit }: { webhookId: string, status: DeliveryRow['status'] | undefined, after: string | undefined, limit: number }): Promise<DeliveryRow[]> {
      return await run(async orm => await orm.select().from(deliveries)
        .where(and(eq(deliveries.webhookId, webhookId), status === undefined ? undefined : eq(deliveries.status, status), after === undefined ? undefined : lt(deliveries.eventId, after)))
        .orderBy(desc(deliveries.eventId)).limit(limit))
    },

    /** Makes a delivery due now, with all the time for retries again, also one that was made; answers whether there is one. */
    async retryNow (key: DeliveryKey): Promise<boolean> {
      const rows = await run(async orm => await orm.update(deliveries)
        .set({ status: 'pending', attempts: 0, nextAttemptAt: sql`now()`, retriesSince: sql`now()`, deliveredAt: null })
        .where(isOne(key)).returning({ id: deliveries.eventId }))
      return rows.length === 1
    },

    /** How many wait and how many were given up, and for how many seconds the oldest has waited; null where none waits. */
    async summary (): Promise<DeliverySummary> {
      const [row] = await run(async orm => await orm.execute<{ pending: string, failed: string, oldest: number | null }>(sql`
        select count(*) as pending, (select count(*) from ${deliveries} where status = 'failed') as failed,
          extract(epoch from now() - min(occurred_at))::float8 as oldest from ${deliveries} where status = 'pending'`))
      return { pending: Number(row?.pending), failed: Number(row?.failed), oldestPendingSeconds: row?.oldest ?? null }
    },

    /** Whom something is owed: one look into the index for each. */
    async listOwed (): Promise<string[]> {
      const rows = await run(async orm => await orm.execute<{ id: string }>(sql`
        with recursive owed (id) as (
          (select webhook_id from ${deliveries} where status = 'pending' order by webhook_id limit 1)
          union all
          select (select webhook_id from ${deliveries} where status = 'pending' and webhook_id > owed.id order by webhook_id limit 1) from owed where owed.id is not null
        ) select id from owed where id is not null`))
      return rows.map(row => row.id)
    },

    /** Removes what these webhooks are still owed, `limit` at most; answers how many. */
    async drop (webhookIds: string[], limit: number): Promise<number> {
      return await run(async orm => {
        const owed = sql`select ctid from ${deliveries} where status = 'pending' and webhook_id = any(array(select jsonb_array_elements_text(${JSON.stringify(webhookIds)}::jsonb)::uuid)) limit ${limit} for update skip locked`
        return (await orm.delete(deliveries).where(sql`ctid = any(array(${owed}))`).returning({ id: deliveries.eventId })).length
      })
    },

    /** Removes what was made or given up this many days ago, `limit` at most; answers how many. */
    async purge ({ retentionDays, limit }: { retentionDays: number, limit: number }): Promise<number> {
      return await run(async orm => {
        const old = orm.select({ ctid: sql`ctid` }).from(deliveries)
          .where(and(ne(deliveries.status, 'pending'), lt(deliveries.nextAttemptAt, sql`now() - make_interval(days => ${retentionDays})`)))
          .orderBy(deliveries.nextAttemptAt).limit(limit).for('update', { skipLocked: true })
        return (await orm.delete(deliveries).where(sql`ctid = any(array(${old}))`).returning({ id: deliveries.eventId })).length
      })
    }
  }
}

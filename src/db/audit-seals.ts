import { and, asc, desc, eq, gt, getTableColumns, inArray, lt, sql } from 'drizzle-orm'
import type { Run } from './pool.ts'
import { auditEvents, auditSeals, auditUnsealed } from './tables.ts'

export type SealRow = typeof auditSeals.$inferSelect

/** The newest seal, by which the next one holds on to the chain. */
export type SealHead = Pick<SealRow, 'sequence' | 'mac'>

/** An event as its MAC is made of it: `details` as the database writes them, since numbers may be finer than those of JavaScript. */
export type SealedEvent = Omit<typeof auditEvents.$inferSelect, 'details'> & { details: string }

/** An event that waits to be sealed; null where it was removed since. */
export interface WaitingEvent { id: string, occurredAt: Date, event: SealedEvent | null }

/** An event that stands in the trail, and whether it is sealed or waits to be. */
export interface KnownEvent { id: string, occurredAt: Date, known: boolean }

/** Events that wait to be sealed: how many, and since when the oldest. */
export interface UnsealedSummary { count: number, oldest: Date | null }

export type AuditSealStore = ReturnType<typeof createAuditSealStore>

const eventColumns = { ...getTableColumns(auditEvents), details: sql<string>`${auditEvents.details}::text` }
const uuids = (ids: readonly string[]) => sql`${`{${ids.join(',')}}`}::uuid[]`
const moments = auditEvents.occurredAt

/** The chain of seals, and the events that wait for theirs. */
export function createAuditSealStore (run: Run) {
  return {
    /** The newest seal, if there is one, and the database's clock. */
    async head (): Promise<{ head: SealHead | undefined, now: Date }> {
      const [row] = await run(async orm => await orm.select({ now: sql`clock_timestamp()`.mapWith(moments), sequence: auditSeals.sequence, mac: auditSeals.mac })
        .from(sql`(values (1)) one (n)`).leftJoin(auditSeals, eq(auditSeals.sequence, sql`(select max(sequence) from ${auditSeals})`)))
      const { now, sequence = null, mac = null } = row ?? { now: new Date() }
      return { now, head: sequence === null || mac === null ? undefined : { sequence, mac } }
    },

    /** Events that wait to be sealed, those with the oldest ids first. */
    async waiting (limit: number): Promise<WaitingEvent[]> {
      return await run(async orm => {
        const first = orm.select().from(auditUnsealed).orderBy(asc(auditUnsealed.eventId)).limit(limit).as('waiting')
        return await orm.select({ id: first.eventId, occurredAt: first.occurredAt, event: eventColumns }).from(first)
          .leftJoin(auditEvents, and(eq(auditEvents.occurredAt, first.occurredAt), eq(auditEvents.id, first.eventId)))
          .orderBy(asc(first.eventId))
      })
    },

    async add (seal: SealRow): Promise<void> {
      await run(async orm => await orm.insert(auditSeals).values(seal))
    },

    /** These events are sealed. */
    async settle (ids: readonly string[]): Promise<void> {
      await run(async orm => await orm.delete(auditUnsealed).where(inArray(auditUnsealed.eventId, [...ids])))
    },

    async isUnsealedBefore (moment: Date): Promise<boolean> {
      return (await run(async orm => await orm.select({ id: auditUnsealed.eventId }).from(auditUnsealed).where(lt(auditUnsealed.occurredAt, moment)).limit(1))).length > 0
    },

    async unsealed (): Promise<UnsealedSummary> {
      const [row] = await run(async orm => await orm.select({ count: sql<string>`count(*)`, oldest: sql<Date | null>`min(${auditUnsealed.occurredAt})`.mapWith(auditUnsealed.occurredAt) }).from(auditUnsealed))
      return { count: Number(row?.count ?? 0), oldest: row?.oldest ?? null }
    },

    /** For how many seconds the event that was made first has waited to be sealed; 0 where none waits. */
    async oldestUnsealedSeconds (): Promise<number> {
      const [row] = await run(async orm => await orm.select({ seconds: sql<number>`extract(epoch from now() - ${auditUnsealed.occurredAt})::float8` })
        .from(auditUnsealed).orderBy(asc(auditUnsealed.eventId)).limit(1))
      return row?.seconds ?? 0
    },

    /** Events that wait to be sealed and stand in the trail no more. */
    async waitingForNothing (limit: number): Promise<Array<{ id: string, occurredAt: Date }>> {
      return await run(async orm => await orm.select({ id: auditUnsealed.eventId, occurredAt: auditUnsealed.occurredAt }).from(auditUnsealed)
        .leftJoin(auditEvents, and(eq(auditEvents.occurredAt, auditUnsealed.occurredAt), eq(auditEvents.id, auditUnsealed.eventId)))
        .where(sql`${auditEvents.id} is null`).limit(limit))
    },

    /** The chain from the seal after `sequence` on. */
    async chain (sequence: number, limit: number): Promise<SealRow[]> {
      return await run(async orm => await orm.select().from(auditSeals).where(gt(auditSeals.sequence, sequence)).orderBy(asc(auditSeals.sequence)).limit(limit))
    },

    async macOf (sequence: number): Promise<Buffer | undefined> {
      const [row] = await run(async orm => await orm.select({ mac: auditSeals.mac }).from(auditSeals).where(eq(auditSeals.sequence, sequence)))
      return row?.mac
    },

    /** Up to when the trail was dropped, by the seals of the chain that say so: what stands before its first one is no part of it, and nobody checks it. */
    async keptSince (): Promise<Date | undefined> {
      const [row] = await run(async orm => await orm.select({ until: auditSeals.until }).from(auditSeals)
        .where(and(eq(auditSeals.kind, 'retention'), gt(auditSeals.sequence, 0))).orderBy(desc(auditSeals.until)).limit(1))
      return row?.until
    },

    /** The events of a seal, as far as they stand in the trail. */
    async eventsOf ({ eventIds, since, until }: Pick<SealRow, 'eventIds' | 'since' | 'until'>): Promise<SealedEvent[]> {
      return await run(async orm => await orm.select(eventColumns).from(auditEvents)
        .where(and(sql`${moments} between ${since?.toISOString() ?? '-infinity'}::timestamptz and ${until.toISOString()}::timestamptz`, sql`${auditEvents.id} = any(${uuids(eventIds)})`)))
    },

    /** The trail from its oldest event on: whether each event is sealed or waits to be. */
    async walk (after: { id: string, occurredAt: Date } | undefined, limit: number): Promise<KnownEvent[]> {
      const from = after === undefined
        ? sql`true`
        : sql`occurred_at >= ${after.occurredAt.toISOString()}::timestamptz and (occurred_at, id) > (${after.occurredAt.toISOString()}::timestamptz, ${after.id}::uuid)`
      const rows = await run(async orm => await orm.execute<{ id: string, moment: number, known: boolean }>(sql`
        with page as materialized (
          select id, occurred_at from ${auditEvents} where ${from} order by occurred_at, id limit ${limit}
        ), sealed as materialized (
          select sealed.id, s.since, s.until from ${auditSeals} s, unnest(s.event_ids) sealed (id)
          where s.kind = 'events' and tstzrange(s.since, s.until, '[]') && (select tstzrange(min(occurred_at), max(occurred_at), '[]') from page)
        )
        select page.id, extract(epoch from page.occurred_at)::float8 * 1000 as moment, bool_or(sealed.id is not null or u.event_id is not null) as known
        from page left join sealed on sealed.id = page.id and page.occurred_at between sealed.since and sealed.until
          left join ${auditUnsealed} u on u.event_id = page.id and u.occurred_at = page.occurred_at
        group by page.occurred_at, page.id order by page.occurred_at, page.id`))
      return rows.map(({ id, moment, known }) => ({ id, occurredAt: new Date(Math.round(moment)), known }))
    }
  }
}

import { sql } from 'drizzle-orm'
import type { Run } from './pool.ts'

/** Months that are made ahead: for so long events have a place where nothing makes months. */
const monthsAhead = 7

/** Milliseconds that dropping a month waits for those who read the trail: whoever writes events waits behind it. */
const dropTimeoutMs = 200

/** A month of the trail that is over, and the first moment after it. */
export interface AuditMonth { partition: string, endsAt: Date }

export type AuditMonthStore = ReturnType<typeof createAuditMonthStore>

/** The partitions of the audit trail, one for each month of UTC. */
export function createAuditMonthStore (run: Run) {
  return {
    /** Makes this month and those ahead where they are missing; those who write events meanwhile do not wait. */
    async makeAhead (): Promise<void> {
      await run(async orm => await orm.execute(sql`
        select auth_serve_add_audit_partition((date_trunc('month', now() at time zone 'UTC') + make_interval(months => n)) at time zone 'UTC')
        from generate_series(0, ${sql.raw(String(monthsAhead))}) n`))
    },

    /** The oldest month that ended this many days ago or earlier. */
    async findOldestEnded (days: number): Promise<AuditMonth | undefined> {
      const [row] = await run(async orm => await orm.execute<{ partition: string, ends_at: number }>(sql`
        select partition, extract(epoch from ends_at)::float8 * 1000 as ends_at from (
          select c.relname::text as partition, (to_date(right(c.relname, 7), 'YYYY_MM') + interval '1 month') at time zone 'UTC' as ends_at
          from pg_inherits i join pg_class c on c.oid = i.inhrelid
          where i.inhparent = to_regclass('audit_events') and c.relname ~ '^audit_events_[0-9]{4}_[0-9]{2}$'
        ) months
        where ends_at <= now() - make_interval(days => ${days}) order by partition limit 1`))
      return row === undefined ? undefined : { partition: row.partition, endsAt: new Date(row.ends_at) }
    },

    /** Drops a month, in a transaction. Fails where somebody uses the trail for longer than it waits. */
    async drop ({ partition }: AuditMonth): Promise<void> {
      await run(async orm => {
        await orm.execute(sql.raw(`set local lock_timeout = ${dropTimeoutMs}`))
        await orm.execute(sql`drop table ${sql.identifier(partition)}`)
      })
    }
  }
}

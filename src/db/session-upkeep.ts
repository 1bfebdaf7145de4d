import { sql, type SQL } from 'drizzle-orm'
import type { Orm } from './client.ts'
import { sessions } from './tables.ts'

/** An access token of the session was used at this moment, by the database's clock. */
export interface SessionUse { sessionId: string, usedAt: Date }

/** Seconds that lie between two notes of the use of a session. */
const useIntervalSeconds = 60

/** A session that was removed after its life. */
export interface OverSession { id: string, userId: string, reason: 'idle' | 'absolute', endedAt: Date, revoked: boolean }

/** The driver is not told the types of arrays, so they travel as PostgreSQL writes them; neither ids nor times need quotes. */
const literal = (values: readonly string[]): string => `{${values.join(',')}}`

/**
 * Notes the last use of sessions where what stands there is a minute older. It waits for nobody: a row that is locked is
 * being used otherwise, and two instances that note the same sessions in another order do not block one another.
 */
export async function noteUsesStatement (orm: Orm, uses: readonly SessionUse[]): Promise<void> {
  const ids = literal(uses.map(({ sessionId }) => sessionId))
  const times = literal(uses.map(({ usedAt }) => usedAt.toISOString()))
  await orm.execute(sql`
    with due as (
      select s.id, n.used_at from unnest(${ids}::uuid[], ${times}::timestamptz[]) as n(id, used_at)
      join ${sessions} s on s.id = n.id
      where s.last_used_at <= n.used_at - make_interval(secs => ${useIntervalSeconds}) and s.revoked_at is null
      for no key update of s skip locked
    )
    update ${sessions} s set last_used_at = due.used_at from due where s.id = due.id`)
}

/** Most sessions that one login ends; what is left goes with the next one. */
const maxEndedAtOnce = 500

/** Sessions of a user beyond the newest `max`, without counting `exceptId` that is one of them: the oldest ones. */
export function beyondNewest (userId: string, max: number, exceptId: string, live: SQL | undefined): SQL {
  return sql`${sessions.id} = any(array(
    select id from (
      select id from ${sessions} where ${sessions.userId} = ${userId} and ${live} and ${sessions.id} <> ${exceptId}
      order by id desc offset ${max - 1}
    ) as beyond order by id limit ${maxEndedAtOnce}))`
}

interface Removed extends Record<string, unknown> { id: string, user_id: string, absolute: boolean, ended_at: string, revoked: boolean }

/** Removes sessions whose life was over a day ago, `limit` at most; those that somebody holds are left for the next time. */
export async function purgeStatement (orm: Orm, limit: number): Promise<OverSession[]> {
  const rows = await orm.execute<Removed>(sql`
    delete from ${sessions} where id = any(array(
      select id from ${sessions} where idle_expires_at < now() - interval '1 day'
      order by idle_expires_at limit ${limit} for update skip locked))
    returning id, user_id, idle_expires_at >= expires_at as absolute, idle_expires_at as ended_at, revoked_at is not null as revoked`)
  return rows.map(row => ({
    id: row.id, userId: row.user_id, reason: row.absolute ? 'absolute' : 'idle', endedAt: new Date(row.ended_at), revoked: row.revoked
  }))
}

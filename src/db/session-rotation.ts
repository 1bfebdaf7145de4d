import { sql, type SQL } from 'drizzle-orm'
import { v7 as uuidv7 } from 'uuid'
import type { Orm } from './client.ts'
import { createStatement } from './statement.ts'
import { auditEvents, sessions, users } from './tables.ts'

/** A refresh token as it was presented. */
export interface Rotation {
  sessionId: string
  n: number
  refreshHash: Buffer
  requestId: string | null
  ipAddress: string | null
  userAgent: string | null
}

export interface RotationPolicy {
  accessTtlSeconds: number
  idleTtlSeconds: number
  /** Seconds after its own rotation in which a token is still answered with the session's newest. */
  graceSeconds: number
}

/** How the session stands after the judgement. */
export interface RotationRow {
  userId: string
  roles: string[]
  authzVersion: number
  /** Number of the session's newest refresh token. */
  counter: number
  /** The token was used again after its grace: the session has just ended. */
  reused: boolean
  /** Of the event that says so in the trail, where it was. */
  eventId: string
  authTime: Date
  /** When the access token that is due now expires; for a reused token, the last one of the session. */
  accessUntil: Date
  idleExpiresAt: Date
  /** The database's clock. */
  now: Date
}

/** Rotations that one grace may hold; a client that needs more is two clients. */
const maxRotationsInGrace = 8

/** The times of the last rotations with `count` more of this moment, as many as one grace may hold. */
export function appendRotations (before: SQL, count: SQL): SQL {
  const all = sql`(${before} || array_fill(now(), array[${count}]))`
  return sql`${all}[greatest(1, cardinality(${all}) - ${maxRotationsInGrace - 1}):]`
}

interface Answer extends Record<string, unknown> {
  user_id: string
  roles: string
  authz_version: number
  refresh_counter: number
  reused: boolean
  auth_time: string
  access_until: string
  idle_expires_at: string
  now: string
}

/**
 * One UPDATE decides over token number `n`. Its expressions are evaluated on the locked row, so parallel uses see one
 * another; a read before it would not.
 *
 * - n >= counter: rotates to n + 1 and notes the time. A number from the future with a valid MAC is one whose update a
 *   failover lost. Eight rotations inside one grace are the most: beyond them the row stays as it is, and counter <= n.
 * - n < counter, within the grace of n's own rotation: only the life of the session's access tokens is prolonged.
 * - n < counter otherwise: the token was stolen, or its holder's copy was; the session ends, and the trail says so.
 */
const judge = createStatement<keyof Rotation | keyof RotationPolicy | 'eventId', Answer>(value => {
  const [sessionId, n, refreshHash] = [value('sessionId'), value('n'), value('refreshHash')]
  const policy = { accessTtlSeconds: value('accessTtlSeconds'), idleTtlSeconds: value('idleTtlSeconds'), graceSeconds: value('graceSeconds') }
  const context = { requestId: value('requestId'), ipAddress: value('ipAddress'), userAgent: value('userAgent') }
  const grace = sql`make_interval(secs => ${policy.graceSeconds})`
  const crowded = sql`(cardinality(s.rotated_at) >= ${maxRotationsInGrace} and s.rotated_at[cardinality(s.rotated_at) - ${maxRotationsInGrace - 1}] > now() - ${grace})`
  const rotates = sql`(${n}::int >= s.refresh_counter and not ${crowded})`
  // The time of n's own rotation stands as many places from the end as n is behind; further back nothing is remembered.
  const inGrace = sql`coalesce(s.rotated_at[cardinality(s.rotated_at) - (s.refresh_counter - ${n}::int) + 1] > now() - ${grace}, false)`
  // Numbers that a failover lost count as replaced now, so that those who hold them have their grace.
  const history = appendRotations(sql`s.rotated_at`, sql`least(${n}::int - s.refresh_counter + 1, ${maxRotationsInGrace})`)
  // What the row says never shrinks: an instance that is configured to longer lives may have issued a token.
  const accessUntil = sql`least(now() + make_interval(secs => ${policy.accessTtlSeconds}), s.expires_at)`
  return sql`
    with judged as (
      update ${sessions} s set
        rotated_at = case when ${rotates} then ${history} else s.rotated_at end,
        last_used_at = case when ${rotates} then now() else s.last_used_at end,
        idle_expires_at = case when ${rotates} then least(now() + make_interval(secs => ${policy.idleTtlSeconds}), s.expires_at) else s.idle_expires_at end,
        access_until = greatest(s.access_until, ${accessUntil}),
        ip_address = case when ${rotates} then ${context.ipAddress} else s.ip_address end,
        user_agent = case when ${rotates} then ${context.userAgent} else s.user_agent end,
        revoked_at = case when ${n}::int < s.refresh_counter and not ${inGrace} then now() end,
        refresh_counter = case when ${rotates} then ${n}::int + 1 else s.refresh_counter end
      from ${users} u
      where s.id = ${sessionId} and ${refreshHash}::bytea = any(s.refresh_hashes) and s.revoked_at is null
        and s.idle_expires_at > now() and s.expires_at > now()
        and u.id = s.user_id and u.is_active and u.deleted_at is null
      returning s.id, s.user_id, u.roles, u.authz_version, s.refresh_counter, s.revoked_at is not null as reused,
        s.auth_time, case when s.revoked_at is null then ${accessUntil} else s.access_until end as access_until, s.idle_expires_at
    ), told as (
      insert into ${auditEvents} (id, type, outcome, target_id, session_id, request_id, ip_address, user_agent)
      select ${value('eventId')}::uuid, 'authn_token_reuse', 'failure', user_id, id, ${context.requestId}, ${context.ipAddress}, ${context.userAgent}
      from judged where reused
    )
    select user_id, to_json(roles)::text as roles, authz_version, refresh_counter, reused, auth_time, access_until, idle_expires_at, now() as now
    from judged`
})

/** Judges a refresh token by {@link judge}. Undefined for a session that is not live. */
export async function rotateStatement (orm: Orm, { sessionId, n, refreshHash, requestId, ipAddress, userAgent }: Rotation, { accessTtlSeconds, idleTtlSeconds, graceSeconds }: RotationPolicy): Promise<RotationRow | undefined> {
  const eventId = uuidv7()
  const [row] = await judge(orm, { sessionId, n, refreshHash, requestId, ipAddress, userAgent, accessTtlSeconds, idleTtlSeconds, graceSeconds, eventId })
  if (row === undefined) return undefined
  return {
    userId: row.user_id,
    roles: JSON.parse(row.roles),
    authzVersion: row.authz_version,
    counter: row.refresh_counter,
    reused: row.reused,
    eventId,
    authTime: new Date(row.auth_time),
    accessUntil: new Date(row.access_until),
    idleExpiresAt: new Date(row.idle_expires_at),
    now: new Date(row.now)
  }
}

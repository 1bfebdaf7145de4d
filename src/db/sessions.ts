import { and, eq, gt, isNull, sql } from 'drizzle-orm'
import type { Run } from './pool.ts'
import { sessions, users } from './tables.ts'

export interface NewSession {
  id: string
  userId: string
  /** The account must still be at this version: see {@link createSessionStore}. */
  credentialVersion: number
  /** Seconds until the session ends whatever happens. */
  absoluteTtlSeconds: number
  /** Seconds that the first access token lives. */
  accessTtlSeconds: number
  ipAddress: string | null
  userAgent: string | null
}

/** What the service must know of a live session to judge an access token of it. */
export interface LiveSession { authzVersion: number }

export type SessionStore = ReturnType<typeof createSessionStore>

/** The aggregate of sessions. */
export function createSessionStore (run: Run) {
  return {
    /**
     * Opens a session and notes the login, in one statement: the account row is locked and checked again, because a
     * reset, a ban or a deletion may have been committed while the password was being hashed. Answers the time of the
     * login, or undefined with nothing written where the account is no longer what the password was checked against.
     */
    async open (session: NewSession): Promise<Date | undefined> {
      const [row] = await run(async orm => await orm.execute<{ created_at: string }>(sql`
        with account as (
          update ${users} set last_login_at = now()
          where id = ${session.userId} and credential_version = ${session.credentialVersion} and is_active and deleted_at is null
          returning id
        )
        insert into ${sessions} (id, user_id, expires_at, access_until, ip_address, user_agent)
        select ${session.id}::uuid, id,
          now() + make_interval(secs => ${session.absoluteTtlSeconds}),
          now() + make_interval(secs => ${session.accessTtlSeconds}),
          ${session.ipAddress}, ${session.userAgent}
        from account
        returning created_at`))
      return row === undefined ? undefined : new Date(row.created_at)
    },

    /** The session if it has not ended and its user may use the service; undefined otherwise. */
    async findLive (id: string, userId: string): Promise<LiveSession | undefined> {
      const [row] = await run(async orm => await orm.select({ authzVersion: users.authzVersion }).from(sessions)
        .innerJoin(users, eq(users.id, sessions.userId))
        .where(and(
          eq(sessions.id, id), eq(sessions.userId, userId), isNull(sessions.revokedAt), gt(sessions.expiresAt, sql`now()`),
          users.isActive, isNull(users.deletedAt))))
      return row
    }
  }
}

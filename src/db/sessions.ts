import { and, desc, eq, gt, isNull, lt, ne, sql } from 'drizzle-orm'
import type { Run } from './pool.ts'
import { revocationMarginSeconds, type Revocation } from './revocations.ts'
import { beyondNewest, noteUsesStatement, purgeStatement, type OverSession, type SessionUse } from './session-upkeep.ts'
import { appendRotations, rotateStatement, type Rotation, type RotationRow, type RotationPolicy } from './session-rotation.ts'
import { sessions, users } from './tables.ts'

export type SessionRow = typeof sessions.$inferSelect

/** Lives of a session and its tokens, in seconds. */
export interface SessionLives { absoluteTtlSeconds: number, idleTtlSeconds: number, accessTtlSeconds: number }

/** Somebody who proved who they are: from where, and the hash of the secret of the refresh tokens that they get. */
export interface Proof extends SessionLives { refreshHash: Buffer, ipAddress: string | null, userAgent: string | null }

export interface NewSession extends Proof {
  id: string
  userId: string
  /** The account must still be at this version: see {@link createSessionStore}. */
  credentialVersion: number
}

/** When a session was opened or proven again, and until when it and its tokens live. */
export interface SessionTimes { authTime: Date, accessUntil: Date, idleExpiresAt: Date }

/** What the user of a session may do, as it stands when the session is opened. */
export interface SessionRights { roles: string[], authzVersion: number }

/** What the service must know of a live session to judge an access token of it. */
export interface LiveSession { authzVersion: number }

export type SessionStore = ReturnType<typeof createSessionStore>

/** Secrets that a session remembers: of as many holders who reauthenticated at once. */
const maxSecrets = 4

const seconds = (value: number) => sql`make_interval(secs => ${value})`
const times = { authTime: sessions.authTime, accessUntil: sessions.accessUntil, idleExpiresAt: sessions.idleExpiresAt }

/** What is to be told of a session that has ended. */
const revocationOf = ({ id, accessUntil }: { id: string, accessUntil: Date }): Revocation =>
  ({ kind: 'session', subjectId: id, expiresAt: new Date(accessUntil.getTime() + revocationMarginSeconds * 1000) })

/** The aggregate of sessions; `onRevoked` is told of those that end. */
export function createSessionStore (run: Run, onRevoked: (revocations: readonly Revocation[]) => void) {
  const alive = and(isNull(sessions.revokedAt), gt(sessions.expiresAt, sql`now()`))
  /** Alive, and its refresh token too. */
  const live = and(alive, gt(sessions.idleExpiresAt, sql`now()`))
  return {
    /**
     * Opens a session and notes the login, in one statement: the account row is locked and checked again, because a
     * reset, a ban or a deletion may have been committed while the password was being hashed. Answers undefined, with
     * nothing written, where the account is no longer what the password was checked against.
     */
    async open (session: NewSession): Promise<SessionTimes & SessionRights | undefined> {
      const absolute = sql`now() + ${seconds(session.absoluteTtlSeconds)}`
      const [row] = await run(async orm => await orm.execute<{ auth_time: string, access_until: string, idle_expires_at: string, roles: string, authz_version: number }>(sql`
        with account as (
          update ${users} set last_login_at = now()
          where id = ${session.userId} and credential_version = ${session.credentialVersion} and is_active and deleted_at is null
          returning id, roles, authz_version
        ), opened as (
          insert into ${sessions} (id, user_id, refresh_hashes, expires_at, idle_expires_at, access_until, ip_address, user_agent)
          select ${session.id}::uuid, id, array[${session.refreshHash}::bytea], ${absolute},
            least(now() + ${seconds(session.idleTtlSeconds)}, ${absolute}),
            least(now() + ${seconds(session.accessTtlSeconds)}, ${absolute}),
            ${session.ipAddress}, ${session.userAgent}
          from account
          returning auth_time, access_until, idle_expires_at
        )
        select auth_time, access_until, idle_expires_at, to_json(roles)::text as roles, authz_version from opened, account`))
      if (row === undefined) return undefined
      return {
        authTime: new Date(row.auth_time),
        accessUntil: new Date(row.access_until),
        idleExpiresAt: new Date(row.idle_expires_at),
        roles: JSON.parse(row.roles),
        authzVersion: row.authz_version
      }
    },

    /** The session if it has not ended and its user may use the service; undefined otherwise. */
    async findLive (id: string, userId: string): Promise<LiveSession | undefined> {
      const [row] = await run(async orm => await orm.select({ authzVersion: users.authzVersion }).from(sessions)
        .innerJoin(users, eq(users.id, sessions.userId))
        .where(and(eq(sessions.id, id), eq(sessions.userId, userId), alive, users.isActive, isNull(users.deletedAt))))
      return row
    },

    /** The live sessions of a user, newest first, from the one after `after` on. */
    async listLive (userId: string, { after, limit }: { after: string | undefined, limit: number }): Promise<SessionRow[]> {
      return await run(async orm => await orm.select().from(sessions)
        .where(and(eq(sessions.userId, userId), live, after === undefined ? undefined : lt(sessions.id, after)))
        .orderBy(desc(sessions.id)).limit(limit))
    },

    /** Judges a refresh token and rotates it, in one statement: see {@link rotateStatement}. Undefined for a session that is not live. */
    async rotate (rotation: Rotation, policy: RotationPolicy): Promise<RotationRow | undefined> {
      const row = await run(async orm => await rotateStatement(orm, rotation, policy))
      if (row?.reused === true) onRevoked([revocationOf({ id: rotation.sessionId, accessUntil: row.accessUntil })])
      return row
    },

    /**
     * Notes that the holder proved who they are. That is a rotation, with one more secret: tokens from before have the
     * grace of any that was replaced. Undefined for a session that is not live.
     */
    async prove (id: string, proof: Proof): Promise<SessionTimes & { counter: number } | undefined> {
      const [row] = await run(async orm => await orm.update(sessions).set({
        authTime: sql`now()`,
        lastUsedAt: sql`now()`,
        refreshHashes: sql`${sessions.refreshHashes}[greatest(1, cardinality(${sessions.refreshHashes}) - ${maxSecrets - 2}):] || ${proof.refreshHash}::bytea`,
        refreshCounter: sql`${sessions.refreshCounter} + 1`,
        rotatedAt: appendRotations(sql`${sessions.rotatedAt}`, sql`1`),
        idleExpiresAt: sql`least(now() + ${seconds(proof.idleTtlSeconds)}, ${sessions.expiresAt})`,
        accessUntil: sql`least(now() + ${seconds(proof.accessTtlSeconds)}, ${sessions.expiresAt})`,
        ipAddress: proof.ipAddress,
        userAgent: proof.userAgent
      }).where(and(eq(sessions.id, id), live)).returning({ ...times, counter: sessions.refreshCounter }))
      return row
    },

    /** Ends a session; answers whose it was, undefined where it had ended already. With a hash only if its tokens have that secret. */
    async revoke (id: string, refreshHash?: Buffer): Promise<string | undefined> {
      const [row] = await run(async orm => await orm.update(sessions).set({ revokedAt: sql`now()` })
        .where(and(eq(sessions.id, id), isNull(sessions.revokedAt), refreshHash === undefined ? undefined : sql`${refreshHash}::bytea = any(${sessions.refreshHashes})`))
        .returning({ id: sessions.id, userId: sessions.userId, accessUntil: sessions.accessUntil }))
      if (row !== undefined) onRevoked([revocationOf(row)])
      return row?.userId
    },

    /** Ends a live session of this user; answers whose it was, undefined where they have none such. */
    async end (id: string, userId: string): Promise<string | undefined> {
      const [row] = await run(async orm => await orm.update(sessions).set({ revokedAt: sql`now()` })
        .where(and(eq(sessions.id, id), eq(sessions.userId, userId), live)).returning({ id: sessions.id, userId: sessions.userId, accessUntil: sessions.accessUntil }))
      if (row !== undefined) onRevoked([revocationOf(row)])
      return row?.userId
    },

    /**
     * Ends the oldest live sessions of a user until `max` are left, 500 at most at once; answers their ids. Only in the
     * transaction that opened session `openedId`, which counts and stays: the lock that it holds makes others wait.
     */
    async revokeBeyond (userId: string, max: number, openedId: string): Promise<string[]> {
      const rows = await run(async orm => await orm.update(sessions).set({ revokedAt: sql`now()` })
        .where(and(beyondNewest(userId, max, openedId, live), isNull(sessions.revokedAt)))
        .returning({ id: sessions.id, accessUntil: sessions.accessUntil }))
      onRevoked(rows.map(revocationOf))
      return rows.map(({ id }) => id)
    },

    /** Notes when sessions were last used; see {@link noteUsesStatement}. */
    async noteUses (uses: readonly SessionUse[]): Promise<void> {
      await run(async orm => { await noteUsesStatement(orm, uses) })
    },

    /** Removes sessions whose life was over a day ago, `limit` at most. */
    async purge (limit: number): Promise<OverSession[]> {
      return await run(async orm => await purgeStatement(orm, limit))
    },

    /** Ends every session of a user, but this one where it is named; answers how many. */
    async revokeAll (userId: string, exceptId?: string): Promise<number> {
      const rows = await run(async orm => await orm.update(sessions).set({ revokedAt: sql`now()` })
        .where(and(eq(sessions.userId, userId), isNull(sessions.revokedAt), exceptId === undefined ? undefined : ne(sessions.id, exceptId)))
        .returning({ id: sessions.id, accessUntil: sessions.accessUntil }))
      onRevoked(rows.map(revocationOf))
      return rows.length
    }
  }
}

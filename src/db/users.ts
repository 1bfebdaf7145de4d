import { and, eq, isNotNull, isNull, sql } from 'drizzle-orm'
import { userAlreadyExists, type TakenNames } from '../errors.ts'
import { createAddressProof } from './address-proof.ts'
import type { Orm } from './client.ts'
import type { Run } from './pool.ts'
import { isUniqueViolation } from './failures.ts'
import { prepared } from './statement.ts'
import { userSearch, users } from './tables.ts'
import { createUserDirectory } from './user-directory.ts'
import { createUserRecovery } from './user-recovery.ts'

export type UserRow = typeof users.$inferSelect
export type NewUser = Pick<typeof users.$inferInsert,
  'id' | 'email' | 'emailCanonical' | 'username' | 'usernameCanonical' | 'firstName' | 'lastName' | 'passwordHash' | 'roles' | 'emailVerifiedAt'>
export type UserPatch = Partial<Pick<UserRow, 'username' | 'usernameCanonical' | 'firstName' | 'lastName'>>
/** What decides what somebody may do. */
export type AccessPatch = Partial<Pick<UserRow, 'roles' | 'isActive'>>

/** Held by whoever changes who is an administrator. */
const adminLock = 0x61757468_6164

const alive = isNull(users.deletedAt)
const lockAdmins = async (orm: Orm) => await orm.execute(sql`select pg_advisory_xact_lock(${adminLock}::bigint)`)
/** Asked for each `GET /users/me`. */
const selectById = prepared(orm => orm.select().from(users).where(and(eq(users.id, sql.placeholder('id')), alive)).prepare('user_by_id'))

export type UserStore = ReturnType<typeof createUserStore>

/** The aggregate of people. Deleted rows are invisible to every function here but one that says so. */
export function createUserStore (run: Run) {
  return {
    ...createAddressProof(run),
    ...createUserDirectory(run),
    ...createUserRecovery(run),

    /** Adds a user, or answers undefined and changes nothing where e-mail or username is taken. */
    async insert (user: NewUser): Promise<UserRow | undefined> {
      const [row] = await run(async orm => await orm.insert(users).values(user).onConflictDoNothing().returning())
      return row
    },

    async findTakenNames (emailCanonical: string, usernameCanonical: string | null): Promise<TakenNames> {
      const [row] = await run(async orm => await orm.select({
        email: sql<boolean>`exists (select 1 from ${users} where ${users.emailCanonical} = ${emailCanonical} and ${alive})`,
        username: sql<boolean>`exists (select 1 from ${users} where ${users.usernameCanonical} = ${usernameCanonical} and ${alive})`
      }).from(sql`(select 1) as one`))
      return row ?? { email: false, username: false }
    },

    async findById (id: string): Promise<UserRow | undefined> {
      const [row] = await run(async orm => await selectById(orm).execute({ id }))
      return row
    },

    /** Finds somebody, also whose account was deleted. */
    async findEvenDeleted (id: string): Promise<UserRow | undefined> {
      const [row] = await run(async orm => await orm.select().from(users).where(eq(users.id, id)))
      return row
    },

    async findByEmail (emailCanonical: string): Promise<UserRow | undefined> {
      const [row] = await run(async orm => await orm.select().from(users).where(and(eq(users.emailCanonical, emailCanonical), alive)))
      return row
    },

    async findByUsername (usernameCanonical: string): Promise<UserRow | undefined> {
      const [row] = await run(async orm => await orm.select().from(users).where(and(eq(users.usernameCanonical, usernameCanonical), alive)))
      return row
    },

    /** Changes what the patch names. Throws CodedError USER_ALREADY_EXISTS for a username that is taken. */
    async update (id: string, patch: UserPatch): Promise<UserRow | undefined> {
      try {
        const [row] = await run(async orm => await orm.update(users).set({ ...patch, updatedAt: sql`now()` }).where(and(eq(users.id, id), alive)).returning())
        return row
      } catch (error) {
        throw isUniqueViolation(error, 'users_username_canonical_key') ? userAlreadyExists({ email: false, username: true }) : error
      }
    },

    /** Sets a new password unless the account changed since this version; answers whether it did. Everything that was proven before is void. */
    async changePassword (id: string, credentialVersion: number, passwordHash: string): Promise<boolean> {
      const rows = await run(async orm => await orm.update(users)
        .set({ passwordHash, credentialVersion: sql`${users.credentialVersion} + 1`, updatedAt: sql`now()` })
        .where(and(eq(users.id, id), eq(users.credentialVersion, credentialVersion), users.isActive, alive))
        .returning({ id: users.id }))
      return rows.length === 1
    },

    /** Waits for whoever changes this person, and makes others wait until the transaction is over. */
    async lock (id: string): Promise<void> {
      await run(async orm => await orm.execute(sql`select 1 from ${users} where id = ${id} for no key update`))
    },

    /**
     * Marks an account as deleted, under a lock that all changes to who is an administrator take, so that
     * {@link hasActiveAdmin} in the same transaction tells the truth.
     */
    async softDelete (id: string): Promise<UserRow | undefined> {
      return await run(async orm => {
        await lockAdmins(orm)
        const [row] = await orm.update(users)
          .set({ deletedAt: sql`now()`, isActive: false, credentialVersion: sql`${users.credentialVersion} + 1`, updatedAt: sql`now()` })
          .where(and(eq(users.id, id), alive)).returning()
        return row
      })
    },

    /**
     * Changes what somebody may do; a ban voids what was proven before, also a login that is under way. Take
     * {@link lockAdmins} first, so that {@link hasActiveAdmin} in the same transaction tells the truth.
     */
    async changeAccess (id: string, patch: AccessPatch): Promise<void> {
      const voided = patch.isActive === false ? { credentialVersion: sql`${users.credentialVersion} + 1` } : {}
      await run(async orm => await orm.update(users).set({ ...patch, ...voided, updatedAt: sql`now()` }).where(and(eq(users.id, id), alive)))
    },

    /** Makes everybody wait who changes who is an administrator, until the transaction is over. */
    async lockAdmins (): Promise<void> {
      await run(lockAdmins)
    },

    /** Whether somebody can administrate: who was invited and has no password yet cannot. */
    async hasActiveAdmin (): Promise<boolean> {
      // By the index of who stands out: to find that there is none by users would take reading all of them.
      const [row] = await run(async orm => {
        const admins = orm.select({ id: userSearch.userId }).from(userSearch).where(sql`${userSearch.roles} @> '{admin}' and ${userSearch.roles} <> '{user}'::text[]`)
        return await orm.select({ id: users.id }).from(users)
          .where(and(sql`${users.id} = any(array(${admins}))`, sql`${users.roles} @> '{admin}'`, isNotNull(users.passwordHash), users.isActive, alive)).limit(1)
      })
      return row !== undefined
    },

    /** Replaces a hash by a stronger one of the same password, unless the password changed in between. */
    async replacePasswordHash (id: string, before: string, after: string): Promise<void> {
      await run(async orm => await orm.update(users).set({ passwordHash: after }).where(and(eq(users.id, id), eq(users.passwordHash, before), alive)))
    }
  }
}

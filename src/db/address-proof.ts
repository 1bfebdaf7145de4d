import { and, eq, isNotNull, isNull, sql } from 'drizzle-orm'
import { userAlreadyExists } from '../errors.ts'
import { isUniqueViolation } from './failures.ts'
import type { Run } from './pool.ts'
import { thisMoment } from './statement.ts'
import { users } from './tables.ts'

type UserRow = typeof users.$inferSelect

/** What a registration set up that waited for the proof of its address. */
export type UserClaim = Pick<UserRow, 'email' | 'username' | 'usernameCanonical' | 'firstName' | 'lastName'> & { passwordHash: string }

const unproven = and(isNull(users.emailVerifiedAt), isNull(users.deletedAt))

/** What of the aggregate of people is about addresses that nobody has proven yet. */
export function createAddressProof (run: Run) {
  const waiting = (id: string, emailCanonical: string) => and(eq(users.id, id), eq(users.emailCanonical, emailCanonical), users.isActive, unproven)
  return {
    /**
     * Notes that a second registration wants this account, whose address nobody has proven: until one of them is confirmed
     * it has nobody's names, and this in place of a password hash. Answers its id; undefined where there is none (an absent
     * id costs the same).
     */
    async contest (id: string | undefined, passwordHash: string): Promise<string | undefined> {
      const [row] = await run(async orm => await orm.update(users).set({
        passwordHash,
        devicesKnownSince: thisMoment,
        credentialVersion: sql`${users.credentialVersion} + 1`,
        username: null,
        usernameCanonical: null,
        firstName: null,
        lastName: null,
        updatedAt: sql`now()`
      }).where(and(sql`${users.id} = ${id ?? null}::uuid`, isNotNull(users.passwordHash), unproven)).returning({ id: users.id }))
      return row?.id
    },

    /** Notes that the address is the person's, if it still is that of the account and was not proven before. */
    async verifyEmail (id: string, emailCanonical: string): Promise<UserRow | undefined> {
      const [row] = await run(async orm => await orm.update(users).set({ emailVerifiedAt: sql`now()`, updatedAt: sql`now()` })
        .where(waiting(id, emailCanonical)).returning())
      return row
    },

    /**
     * The same, and the account becomes what the claim says, whoever set it up before; a username that is taken is left
     * out. Throws CodedError USER_ALREADY_EXISTS where it is being taken at this moment.
     */
    async confirmClaim (id: string, emailCanonical: string, { username, usernameCanonical, ...claim }: UserClaim): Promise<UserRow | undefined> {
      const unlessTaken = (name: string | null) => sql`case when not exists (
        select 1 from ${users} as other where other.username_canonical = ${usernameCanonical} and other.deleted_at is null and other.id <> ${id}
      ) then ${name}::text end`
      const patch = {
        ...claim,
        username: unlessTaken(username),
        usernameCanonical: unlessTaken(usernameCanonical),
        emailVerifiedAt: sql`now()`,
        devicesKnownSince: thisMoment,
        credentialVersion: sql`${users.credentialVersion} + 1`,
        updatedAt: sql`now()`
      }
      try {
        const [row] = await run(async orm => await orm.update(users).set(patch).where(waiting(id, emailCanonical)).returning())
        return row
      } catch (error) {
        throw isUniqueViolation(error, 'users_username_canonical_key') ? userAlreadyExists({ email: false, username: true }) : error
      }
    }
  }
}

import { and, eq, isNull, sql } from 'drizzle-orm'
import { CodedError } from '../errors.ts'
import { isUniqueViolation } from './failures.ts'
import type { Run } from './pool.ts'
import { thisMoment } from './statement.ts'
import { users } from './tables.ts'

type UserRow = typeof users.$inferSelect

/** An address as it was typed, and in the form in which addresses are compared. */
export type UserAddress = Pick<UserRow, 'email' | 'emailCanonical'>

/** What of the aggregate of people is done on the word of a mailbox. Hold the lock of the person. */
export function createUserRecovery (run: Run) {
  const inUse = (id: string) => and(eq(users.id, id), users.isActive, isNull(users.deletedAt))
  /** Whatever was proven before is void: also a login that is under way. */
  const proven = {
    emailVerifiedAt: sql`now()`,
    credentialVersion: sql`${users.credentialVersion} + 1`,
    updatedAt: sql`now()`
  }
  return {
    /** Sets a password for who proved the account's address; devices that were known are known no more. */
    async recover (id: string, passwordHash: string): Promise<void> {
      const verifiedAt = sql`coalesce(${users.emailVerifiedAt}, now())`
      await run(async orm => await orm.update(users).set({ ...proven, emailVerifiedAt: verifiedAt, passwordHash, devicesKnownSince: thisMoment }).where(inUse(id)))
    },

    /**
     * Gives a person another address, which they proved. Answers the version of what proves who they are, from now on.
     * Throws CodedError CONFLICT where somebody else has the address.
     */
    async changeEmail (id: string, address: UserAddress, { forgetDevices }: { forgetDevices: boolean }): Promise<number | undefined> {
      try {
        const [row] = await run(async orm => await orm.update(users)
          .set({ ...proven, ...address, ...forgetDevices && { devicesKnownSince: thisMoment } })
          .where(inUse(id)).returning({ credentialVersion: users.credentialVersion }))
        return row?.credentialVersion
      } catch (error) {
        throw isUniqueViolation(error, 'users_email_canonical_key')
          ? new CodedError('CONFLICT', 'Another account has this e-mail address by now. Nothing was changed; the link stays good in case the address becomes free.', { cause: error })
          : error
      }
    }
  }
}

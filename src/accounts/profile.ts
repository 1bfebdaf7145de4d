import type { Audit, RequestContext } from '../audit/audit.ts'
import type { UserPatch } from '../db/users.ts'
import type { Database } from '../db/stores.ts'
import { CodedError } from '../errors.ts'
import type { User } from '../schemas/user.ts'
import type { Principal } from '../sessions/authenticate.ts'
import { toUser } from './to-user.ts'
import { canonicalUsername } from './username.ts'

/** What people may change of themselves: absent means unchanged, null clears. */
export interface ProfilePatch { username?: string | null, firstName?: string | null, lastName?: string | null }

// Between the check of the token and this read the account may have been deleted.
const accountGone = () => new CodedError('SESSION_REVOKED', 'The account no longer exists; sign in again.')

/** Reads the signed-in person. Throws CodedError SESSION_REVOKED where the account is gone. */
export type ReadProfile = (userId: string) => Promise<User>

export function createReadProfile ({ database }: { database: Database }): ReadProfile {
  return async userId => {
    const row = await database.users.findById(userId)
    if (row === undefined) throw accountGone()
    return toUser(row)
  }
}

/** Changes the signed-in person. Throws CodedError USER_ALREADY_EXISTS for a taken username. */
export type UpdateProfile = (principal: Principal, patch: ProfilePatch, context: RequestContext) => Promise<User>

export function createUpdateProfile ({ audit }: { audit: Audit }): UpdateProfile {
  return async ({ userId, sessionId }, patch, context) => {
    const { username } = patch
    const changes: UserPatch = username === undefined
      ? patch
      : { ...patch, usernameCanonical: username === null ? null : canonicalUsername(username) }
    const changed = Object.keys(patch)
    return await audit.transaction(context, async (stores, record) => {
      const row = changed.length === 0 ? await stores.users.findById(userId) : await stores.users.update(userId, changes)
      if (row === undefined) throw accountGone()
      if (changed.length > 0) record({ type: 'user_updated', outcome: 'success', actorId: userId, targetId: userId, sessionId, details: { changed } })
      return toUser(row)
    })
  }
}

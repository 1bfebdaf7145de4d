import type { Stores } from '../db/stores.ts'
import type { AccessPatch, UserRow } from '../db/users.ts'
import { lastAdmin } from './target.ts'

/**
 * Changes what somebody may do, whose row the transaction has locked; tokens that were issued bear it at once. `authorize`
 * is asked under the lock of everybody who changes who is an administrator, before anything is changed. Throws CodedError
 * CONFLICT where nobody could administrate any more.
 */
export async function changeAccess (stores: Pick<Stores, 'users' | 'sessions'>, user: UserRow, patch: AccessPatch, authorize: () => Promise<void> = async () => {}): Promise<void> {
  // The database would end them with the ban, but would not tell this instance at once.
  if (patch.isActive === false) await stores.sessions.revokeAll(user.id)
  await stores.users.lockAdmins()
  await authorize()
  await stores.users.changeAccess(user.id, patch)
  // Who was invited and has no password yet administrates nothing.
  const couldAdministrate = user.isActive && user.roles.includes('admin') && user.passwordHash !== null
  if (couldAdministrate && !await stores.users.hasActiveAdmin()) throw lastAdmin()
}

import type { Audit, RequestContext } from '../audit/audit.ts'
import type { UserRow } from '../db/users.ts'
import { changeAccess } from './change-access.ts'
import { findTarget } from './target.ts'

/**
 * Disables or enables a person at the word of whoever has the command line. Who is disabled is signed out everywhere at
 * once; a login that is under way fails. Changing nothing is no error and leaves no event. Throws CodedError
 * USER_NOT_FOUND, and CONFLICT where nobody would be left who can administrate.
 */
export type SetActive = (id: string, isActive: boolean, context: RequestContext) => Promise<UserRow>

export function createSetActive ({ audit }: { audit: Audit }): SetActive {
  return async (id, isActive, context) => await audit.transaction(context, async (stores, record) => {
    await stores.users.lock(id)
    const user = await findTarget(stores, id)
    if (user.isActive === isActive) return user
    await changeAccess(stores, user, { isActive })
    record({ type: 'user_updated', outcome: 'success', targetId: id, details: { changed: ['isActive'] } })
    record({ type: 'authz_admin', outcome: 'success', targetId: id, details: { action: isActive ? 'user_enabled' : 'user_disabled' } })
    return await findTarget(stores, id)
  })
}

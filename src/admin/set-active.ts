import type { Audit, RecordEvent, RequestContext } from '../audit/audit.ts'
import type { Stores } from '../db/stores.ts'
import type { UserRow } from '../db/users.ts'
import { CodedError } from '../errors.ts'
import type { Principal } from '../sessions/authenticate.ts'

/** Who acts; undefined is whoever has the command line. */
export type Actor = Pick<Principal, 'userId' | 'sessionId'> | undefined

export interface ActiveChange { id: string, isActive: boolean }

/**
 * Disables or enables a person. Who is disabled is signed out everywhere at once; a login that is under way fails, and
 * tokens that were issued die with their sessions. Changing nothing is no error and leaves no event. Throws CodedError
 * USER_NOT_FOUND, and CONFLICT where nobody would be left who can administrate.
 */
export type SetActive = (change: ActiveChange, actor: Actor, context: RequestContext) => Promise<UserRow>

/** The same in a transaction that does more; whoever begins it has locked no session yet. */
export async function setActive (stores: Pick<Stores, 'users' | 'sessions'>, record: RecordEvent, { id, isActive }: ActiveChange, actor: Actor): Promise<UserRow> {
  // The row's lock comes first, then the sessions, as they do when somebody signs in.
  await stores.users.lock(id)
  const before = await stores.users.findById(id)
  if (before === undefined) throw new CodedError('USER_NOT_FOUND', 'There is no user with this id.')
  if (before.isActive === isActive) return before
  // The database would end them with the account, but would not tell this instance at once.
  if (!isActive) await stores.sessions.revokeAll(id)
  const after = await stores.users.setActive(id, isActive) ?? before
  const couldAdministrate = after.roles.includes('admin') && after.passwordHash !== null
  if (!isActive && couldAdministrate && !await stores.users.hasActiveAdmin()) {
    throw new CodedError('CONFLICT', 'This is the last active administrator; make somebody else one first.')
  }
  record({ type: 'user_updated', outcome: 'success', actorId: actor?.userId, targetId: id, sessionId: actor?.sessionId, details: { changed: ['isActive'], isActive } })
  return after
}

export function createSetActive ({ audit }: { audit: Audit }): SetActive {
  return async (change, actor, context) => await audit.transaction(context, async (stores, record) => await setActive(stores, record, change, actor))
}

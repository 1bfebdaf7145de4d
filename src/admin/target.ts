import type { Stores } from '../db/stores.ts'
import type { UserRow } from '../db/users.ts'
import { CodedError } from '../errors.ts'
import type { Principal } from '../sessions/authenticate.ts'
import type { Bearer, FieldRules } from './field-rules.ts'

/** Who acts; undefined is whoever has the command line, and may everything. */
export type Actor = Principal | undefined

/** Somebody by id. Throws CodedError USER_NOT_FOUND. */
export async function findTarget (stores: Pick<Stores, 'users'>, id: string): Promise<UserRow> {
  const user = await stores.users.findById(id)
  if (user === undefined) throw new CodedError('USER_NOT_FOUND', 'There is no user with this id.')
  return user
}

/**
 * What the actor may by now, whatever the token says: an instance that is not told of a change takes tokens from before
 * for a while. Whoever was disabled or deleted may nothing.
 */
export async function bearerOf (stores: Pick<Stores, 'users'>, { userId }: Pick<Principal, 'userId'>): Promise<Bearer> {
  const actor = await stores.users.findById(userId)
  return { roles: actor?.isActive === true ? actor.roles : [] }
}

/**
 * Somebody whom the actor may do something to, with the lock of the row: whatever is decided about them stands until
 * the transaction is over. Throws CodedError USER_NOT_FOUND and FORBIDDEN.
 */
export async function lockTarget (stores: Pick<Stores, 'users'>, rules: Pick<FieldRules, 'requireRule'>, actor: Actor, id: string): Promise<UserRow> {
  await stores.users.lock(id)
  const user = await findTarget(stores, id)
  if (actor !== undefined) rules.requireRule(await bearerOf(stores, actor), user)
  return user
}

/** What is to be told to whoever would take the last administrator away. */
export const lastAdmin = () => new CodedError('CONFLICT', 'This is the last active administrator; make somebody else one first.')

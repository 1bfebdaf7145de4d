import { toUser } from '../accounts/to-user.ts'
import { canonicalUsername } from '../accounts/username.ts'
import type { Audit, RecordEvent, RequestContext } from '../audit/audit.ts'
import type { Stores } from '../db/stores.ts'
import type { AccessPatch, UserPatch, UserRow } from '../db/users.ts'
import type { OrderMail } from '../mail/order-mail.ts'
import type { User } from '../schemas/user.ts'
import type { UserChanges } from '../schemas/user-admin.ts'
import type { Principal } from '../sessions/authenticate.ts'
import { changeAccess } from './change-access.ts'
import type { FieldRules } from './field-rules.ts'
import { bearerOf, findTarget, lockTarget } from './target.ts'

/**
 * Changes somebody: absent means unchanged, null clears. Tokens that were issued bear it at once. Throws CodedError
 * USER_NOT_FOUND, FORBIDDEN, INVALID_INPUT for an unknown role, USER_ALREADY_EXISTS for a taken username, and CONFLICT where
 * nobody could administrate any more.
 */
export type UpdateUser = (principal: Principal, id: string, changes: UserChanges, context: RequestContext) => Promise<User>

export interface UpdateUserDependencies { audit: Audit, orderMail: OrderMail, rules: FieldRules }

const isSame = (one: readonly string[], other: readonly string[]): boolean => one.length === other.length && one.every(role => other.includes(role))

/** What of the changes differs from what is. */
function profileChanges (user: UserRow, { username, firstName, lastName }: UserChanges): UserPatch {
  return {
    ...username !== undefined && username !== user.username && { username, usernameCanonical: username === null ? null : canonicalUsername(username) },
    ...firstName !== undefined && firstName !== user.firstName && { firstName },
    ...lastName !== undefined && lastName !== user.lastName && { lastName }
  }
}

const accessChanges = (user: UserRow, roles: string[] | undefined, { isActive }: UserChanges): AccessPatch => ({
  ...roles !== undefined && !isSame(user.roles, roles) && { roles },
  ...isActive !== undefined && isActive !== user.isActive && { isActive }
})

export function createUpdateUser ({ audit, orderMail, rules }: UpdateUserDependencies): UpdateUser {
  async function applyAccess (stores: Stores, principal: Principal, user: UserRow, patch: AccessPatch): Promise<void> {
    await changeAccess(stores, user, patch, async () => {
      // Whoever lost a role while this waited for the lock gives none any more.
      rules.requireGrant(await bearerOf(stores, principal), user.roles, patch.roles ?? user.roles)
    })
  }

  async function tell (stores: Stores, record: RecordEvent, { userId: actorId, sessionId }: Principal, user: UserRow, changed: string[], { roles, isActive }: AccessPatch): Promise<void> {
    const common = { outcome: 'success' as const, actorId, targetId: user.id, sessionId }
    record({ ...common, type: 'user_updated', details: { changed } })
    if (isActive !== undefined) record({ ...common, type: 'authz_admin', details: { action: isActive ? 'user_enabled' : 'user_disabled' } })
    if (roles === undefined) return
    record({ ...common, type: 'authz_change', details: { before: user.roles, after: roles } })
    await orderMail(stores, { template: 'security-notice', userId: user.id, recipient: user.emailCanonical, values: { notice: 'roles-changed', roles: roles.join(', ') } })
  }

  return async (principal, id, changes, context) => {
    const roles = changes.roles === undefined ? undefined : rules.toRoles(changes.roles)
    return await audit.transaction(context, async (stores, record) => {
      const user = await lockTarget(stores, rules, principal, id)
      rules.requireGrant(principal, user.roles, roles ?? user.roles)
      const [profile, access] = [profileChanges(user, changes), accessChanges(user, roles, changes)]
      const changed = Object.keys({ ...access, ...profile }).filter(name => name !== 'usernameCanonical')
      if (changed.length === 0) return toUser(user)
      if (Object.keys(profile).length > 0) await stores.users.update(user.id, profile)
      if (Object.keys(access).length > 0) await applyAccess(stores, principal, user, access)
      await tell(stores, record, principal, user, changed, access)
      return toUser(await findTarget(stores, user.id))
    })
  }
}

import { toUser } from '../accounts/to-user.ts'
import type { Audit, RequestContext } from '../audit/audit.ts'
import type { Invite } from '../recovery/invite.ts'
import type { User } from '../schemas/user.ts'
import type { NewUserBody } from '../schemas/user-admin.ts'
import type { Principal } from '../sessions/authenticate.ts'
import type { FieldRules } from './field-rules.ts'
import { bearerOf } from './target.ts'

/**
 * Adds a person, who chooses the password by an e-mailed invitation. Throws CodedError INVALID_INPUT for a role that is
 * unknown, FORBIDDEN for one that the principal may not give, and USER_ALREADY_EXISTS where e-mail or username is taken.
 */
export type CreateUser = (principal: Principal, person: NewUserBody, context: RequestContext) => Promise<User>

export function createCreateUser ({ audit, invite, rules }: { audit: Audit, invite: Invite, rules: FieldRules }): CreateUser {
  return async (principal, { roles: names = [], ...person }, context) => {
    const roles = rules.toRoles(names)
    rules.requireGrant(principal, [], roles)
    return await audit.transaction(context, async (stores, record) => {
      const withSession: typeof record = event => { record({ ...event, sessionId: principal.sessionId }) }
      const user = await invite(stores, withSession, { ...person, roles }, principal.userId)
      if (roles.some(role => role !== 'user')) {
        // Whoever lost a role gives none any more; after the insertion, which may have to wait for somebody who has this lock.
        await stores.users.lockAdmins()
        rules.requireGrant(await bearerOf(stores, principal), [], roles)
      }
      return toUser(user)
    })
  }
}

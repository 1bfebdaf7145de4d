import type { Audit, RequestContext } from '../audit/audit.ts'
import { CodedError } from '../errors.ts'
import type { Principal } from '../sessions/authenticate.ts'
import type { LoginLock } from '../sessions/login-lock.ts'

/** Opens the login of somebody who is locked after failures, also after so many that no time does; `actor` is undefined for the command line. Throws CodedError USER_NOT_FOUND. */
export type UnlockUser = (actor: Principal | undefined, id: string, context: RequestContext) => Promise<void>

export function createUnlockUser ({ audit, loginLock }: { audit: Audit, loginLock: Pick<LoginLock, 'forgive'> }): UnlockUser {
  return async (actor, id, context) => {
    await audit.transaction(context, async (stores, record) => {
      const user = await stores.users.findById(id)
      if (user === undefined) throw new CodedError('USER_NOT_FOUND', 'There is no user with this id.')
      await loginLock.forgive(stores, user.id)
      record({ type: 'authz_admin', outcome: 'success', actorId: actor?.userId, targetId: user.id, sessionId: actor?.sessionId, details: { action: 'user_unlocked' } })
    })
  }
}

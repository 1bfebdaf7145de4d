import type { Audit, RequestContext } from '../audit/audit.ts'
import type { LoginLock } from '../sessions/login-lock.ts'
import type { FieldRules } from './field-rules.ts'
import { lockTarget, type Actor } from './target.ts'

/**
 * Opens the login of somebody who is locked after failures, also after so many that no time does. Throws CodedError
 * USER_NOT_FOUND and FORBIDDEN.
 */
export type UnlockUser = (actor: Actor, id: string, context: RequestContext) => Promise<void>

export function createUnlockUser ({ audit, loginLock, rules }: { audit: Audit, loginLock: Pick<LoginLock, 'forgive'>, rules: FieldRules }): UnlockUser {
  return async (actor, id, context) => {
    await audit.transaction(context, async (stores, record) => {
      const user = await lockTarget(stores, rules, actor, id)
      await loginLock.forgive(stores, user.id)
      record({ type: 'authz_admin', outcome: 'success', actorId: actor?.userId, targetId: user.id, sessionId: actor?.sessionId, details: { action: 'user_unlocked' } })
    })
  }
}

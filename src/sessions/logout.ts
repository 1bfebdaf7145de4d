import type { Audit, RequestContext } from '../audit/audit.ts'
import type { Stores } from '../db/stores.ts'
import type { Secrets } from '../keys/secrets.ts'
import type { Principal } from './authenticate.ts'
import { hashRefreshSecret, parseRefreshToken } from './refresh-token.ts'

export interface LogoutDependencies { audit: Audit, secrets: Secrets }

/** Ends the session of a principal; its access and refresh tokens die with it. */
export type Logout = (principal: Principal, context: RequestContext) => Promise<void>

/** Ends the session of a refresh token, also an older one of it. One that is not live changes nothing (RFC 7009, 2.2). */
export type LogoutByRefreshToken = (refreshToken: string, context: RequestContext) => Promise<void>

/** Ends every session of a principal's user. */
export type LogoutAll = (principal: Principal, context: RequestContext) => Promise<void>

export function createLogout ({ audit }: LogoutDependencies): Logout {
  return async ({ sessionId }, context) => {
    await endSession(audit, context, sessionId, async stores => await stores.sessions.revoke(sessionId))
  }
}

export function createLogoutByRefreshToken ({ audit, secrets }: LogoutDependencies): LogoutByRefreshToken {
  return async (refreshToken, context) => {
    const presented = parseRefreshToken(secrets, refreshToken)
    if (presented === undefined) return
    const { sessionId, secret } = presented
    await endSession(audit, context, sessionId, async stores => await stores.sessions.revoke(sessionId, hashRefreshSecret(secret)))
  }
}

export function createLogoutAll ({ audit }: LogoutDependencies): LogoutAll {
  return async ({ userId, sessionId }, context) => {
    await audit.transaction(context, async (stores, record) => {
      // Before the rows of the sessions, as a login does: two that each end several would block one another.
      await stores.users.lock(userId)
      const ended = await stores.sessions.revokeAll(userId)
      record({ type: 'authn_token_revoked', outcome: 'success', actorId: userId, targetId: userId, sessionId, details: { reason: 'logout_all', sessions: ended } })
    })
  }
}

async function endSession (audit: Audit, context: RequestContext, sessionId: string, revoke: (stores: Stores) => Promise<string | undefined>): Promise<void> {
  await audit.transaction(context, async (stores, record) => {
    const userId = await revoke(stores)
    if (userId === undefined) return
    record({ type: 'authn_token_revoked', outcome: 'success', actorId: userId, targetId: userId, sessionId, details: { reason: 'logout' } })
  })
}

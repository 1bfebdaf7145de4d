import type { Audit, RecordEvent, RequestContext } from '../audit/audit.ts'
import type { Stores } from '../db/stores.ts'
import { CodedError } from '../errors.ts'
import { actionTokenInvalid, useActionToken, voidLinks } from '../recovery/action-token.ts'
import type { LoginLock } from '../sessions/login-lock.ts'
import { claimOfData, isContested } from './claim.ts'

/**
 * Proves an address by the token that was sent to it. What else was under way for the account is void, and failed logins
 * are forgotten. The sessions of the person who registered live on. Where the token carries a registration of its own, or
 * registrations compete, nothing of an earlier holder is left: no password, no session, no known device
 * (docs/decisions/010-proof-of-address.md). Throws CodedError ACTION_TOKEN_INVALID.
 */
export type VerifyEmail = (token: string, context: RequestContext) => Promise<void>

export function createVerifyEmail ({ audit, loginLock }: { audit: Audit, loginLock: LoginLock }): VerifyEmail {
  async function prove (stores: Stores, record: RecordEvent, token: string): Promise<void> {
    const { userId, email, data } = await useActionToken(stores, token, 'verify-email')
    const claim = claimOfData(data)
    const user = claim === undefined ? await stores.users.verifyEmail(userId, email) : await stores.users.confirmClaim(userId, email, claim)
    if (user === undefined) throw actionTokenInvalid()
    await voidLinks(stores, userId)
    await loginLock.forgive(stores, userId)
    const about = { type: 'user_updated', outcome: 'success', actorId: userId, targetId: userId } as const
    if (claim === undefined && !isContested(user)) return record({ ...about, details: { changed: ['emailVerified'] } })
    const sessionsEnded = await stores.sessions.revokeAll(userId)
    const changed = claim === undefined ? ['emailVerified'] : ['emailVerified', 'password', 'username', 'firstName', 'lastName']
    record({ ...about, details: { changed, sessionsEnded } })
  }

  return async (token, context) => {
    const attempt = async () => await audit.transaction(context, async (stores, record) => { await prove(stores, record, token) })
    try {
      await attempt()
    } catch (error) {
      // Somebody took the username of the claim at this moment; the next try sees that and goes without.
      if (!(error instanceof CodedError && error.code === 'USER_ALREADY_EXISTS')) throw error
      await attempt()
    }
  }
}

import type { AccessTokenClaims } from '../keys/access-tokens.ts'
import { requireLive, type Principal } from '../sessions/authenticate.ts'
import type { KeySource, KeySourceState } from './key-source.ts'
import type { RevocationSource, RevocationSourceState } from './polled-revocations.ts'

/** Whom a token speaks for, and everything that it says. */
export interface VerifiedAuth extends Principal { claims: Readonly<AccessTokenClaims> }

/** `revocations` is null where none are followed. */
export interface VerifierState { keys: KeySourceState, revocations: RevocationSourceState | null }

/** Verifies the access tokens of one issuer. */
export interface Verifier {
  /**
   * Throws CodedError TOKEN_INVALID, TOKEN_EXPIRED, SESSION_REVOKED or TOKEN_STALE, and SERVICE_UNAVAILABLE while it cannot
   * be known.
   */
  verify(token: string): Promise<VerifiedAuth>
  state(): VerifierState
}

export function createVerifier (keys: KeySource, revocations: RevocationSource | undefined): Verifier {
  return {
    async verify (token) {
      const claims = await keys.verify(token)
      if (revocations !== undefined) requireLive(await revocations.judge(claims))
      return { userId: claims.sub, sessionId: claims.sid, roles: claims.roles, authTime: claims.auth_time, claims }
    },
    state: () => ({ keys: keys.state(), revocations: revocations?.state() ?? null })
  }
}

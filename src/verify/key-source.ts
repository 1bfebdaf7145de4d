import { CodedError } from '../errors.ts'
import type { AccessTokenClaims, AccessTokenVerifier, VerificationKey } from '../keys/access-tokens.ts'

/** How the keys stand. `stalenessSeconds` is null before they were read, and 0 for keys that were given. */
export interface KeySourceState { loaded: boolean, keys: number, stalenessSeconds: number | null }

/** The keys of an issuer. */
export interface KeySource {
  /** Throws CodedError TOKEN_INVALID or TOKEN_EXPIRED, and SERVICE_UNAVAILABLE while it cannot be known whether a key exists. */
  verify(token: string): Promise<AccessTokenClaims>
  state(): KeySourceState
  close(): Promise<void>
}

/** Makes the verifier of a set of keys. */
export type CreateVerifier = (keys: readonly VerificationKey[]) => AccessTokenVerifier

export const unknownKey = () => new CodedError('TOKEN_INVALID', 'The access token is not acceptable; sign in again.')

/** Keys that were given and never change. */
export function createStaticKeys (keys: readonly VerificationKey[], createVerifier: CreateVerifier): KeySource {
  const verify = createVerifier(keys)
  return {
    async verify (token) {
      const claims = verify(token)
      if (claims === undefined) throw unknownKey()
      return claims
    },
    state: () => ({ loaded: true, keys: keys.length, stalenessSeconds: 0 }),
    close: async () => {}
  }
}

import { expiredClaims, hostileClaims, legalClaims, soundClaims } from './hostile/claims.ts'
import { createForge, encode, type Victim } from './hostile/forge.ts'
import { hostileForms } from './hostile/forms.ts'
import { hostileHeaders, legalHeaders, otherAlgorithms } from './hostile/headers.ts'
import { hostileSignatures, p256Order, sloppy, toBytes, toNumber } from './hostile/signatures.ts'

export type { Victim } from './hostile/forge.ts'

/** What must come of a token. */
export interface HostileToken {
  name: string
  token: string
  code: 'TOKEN_INVALID' | 'TOKEN_EXPIRED'
  /**
   * Signed by the key, and not against RFC 7515, 7519 and 9068: refused because no token of ours looks like that. A
   * verifier that takes tokens of other issuers may accept it.
   */
  legal: boolean
}

const listed = (part: string, tokens: Record<string, string>, { code = 'TOKEN_INVALID', legal = false }: Partial<HostileToken> = {}): HostileToken[] =>
  Object.entries(tokens).map(([name, token]) => ({ name: `${part}: ${name}`, token, code, legal }))

/** Every token that must be refused: what strangers can make, and what the key itself should never have signed. */
export function hostileTokens (victim: Victim): HostileToken[] {
  const forge = createForge(victim)
  return [
    ...listed('algorithm', otherAlgorithms(forge, victim)),
    ...listed('signature', hostileSignatures(forge, victim.otherToken)),
    ...listed('header', hostileHeaders(forge, victim)),
    ...listed('header', legalHeaders(forge, victim, sloppy(forge.header)), { legal: true }),
    ...listed('claims', hostileClaims(forge)),
    ...listed('claims', legalClaims(forge), { legal: true }),
    ...listed('claims', expiredClaims(forge), { code: 'TOKEN_EXPIRED' }),
    ...listed('form', hostileForms(forge, victim))
  ]
}

/**
 * Unusual tokens that must be accepted. For ES256 the other signature too that goes with every one, (r, n - s): anybody
 * can compute it, and it is as valid (FIPS 186-5, 6.4.2 takes any s from 1 to n - 1).
 */
export function soundTokens (victim: Victim): { name: string, token: string }[] {
  const forge = createForge(victim)
  const { signatureBytes: bytes } = forge
  const twin = victim.algorithm === 'ES256'
    ? { 'the other s': forge.withSignature(Buffer.concat([bytes.subarray(0, 32), toBytes(p256Order - toNumber(bytes.subarray(32)), 32)])) }
    : {}
  return Object.entries({ ...soundClaims(forge), ...twin }).map(([name, token]) => ({ name, token }))
}

/** A token with this header and payload as they stand, signed with the victim's key. */
export function signAnything (victim: Victim, header: string | Buffer | undefined, payload: string | Buffer): string {
  const forge = createForge(victim)
  return forge.seal(header === undefined ? forge.header : encode(header), encode(payload))
}

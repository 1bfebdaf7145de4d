import { createHash, createPublicKey } from 'node:crypto'
import type { Jwk, Jwks } from '../schemas/jwks.ts'
import type { VerificationKey } from './access-tokens.ts'

/** The public parts of the keys (RFC 7517) with a strong validator for them (RFC 9110, 8.8.3). */
export interface PublishedKeys { jwks: Jwks, etag: string }

function toJwk ({ kid, algorithm, publicKey }: VerificationKey): Jwk {
  const { kty = '', crv, x, y, n, e } = createPublicKey(publicKey).export({ format: 'jwk' })
  return { kty, crv, x, y, n, e, kid, alg: algorithm, use: 'sig' }
}

export function publishKeys (keys: readonly VerificationKey[]): PublishedKeys {
  const jwks: Jwks = { keys: keys.map(toJwk) }
  return { jwks, etag: `"${createHash('sha256').update(JSON.stringify(jwks)).digest('base64url')}"` }
}

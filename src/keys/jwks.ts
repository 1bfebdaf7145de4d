import { createHash, createPublicKey } from 'node:crypto'
import type { Jwks } from '../schemas/jwks.ts'
import type { SigningKey } from './signing-key.ts'

/** The public parts of the keys (RFC 7517) with a strong validator for them (RFC 9110, 8.8.3). */
export interface PublishedKeys { jwks: Jwks, etag: string }

export function publishKeys (keys: readonly SigningKey[]): PublishedKeys {
  const jwks: Jwks = {
    keys: keys.map(key => {
      const { kty = '', crv = '', x = '', y = '' } = createPublicKey(key.publicKey).export({ format: 'jwk' })
      return { kty, crv, x, y, kid: key.kid, alg: key.algorithm, use: 'sig' as const }
    })
  }
  return { jwks, etag: `"${createHash('sha256').update(JSON.stringify(jwks)).digest('base64url')}"` }
}

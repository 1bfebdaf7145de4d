import { createHash, createPrivateKey, generateKeyPairSync } from 'node:crypto'
import type { NewSigningKey, SigningKeyRow } from '../db/signing-keys.ts'
import { isSealedByCurrent, seal, unseal } from './sealing.ts'
import type { Secrets } from './secrets.ts'

/** A key as the service uses it: PEM texts. `privateKey` is undefined where no configured secret opens it. */
export interface SigningKey { kid: string, algorithm: 'ES256', publicKey: string, privateKey: string | undefined }

/** The JWK thumbprint (RFC 7638) of a P-256 public key. */
function thumbprint (publicJwk: { crv?: string, kty?: string, x?: string, y?: string }): string {
  const { crv, kty, x, y } = publicJwk
  return createHash('sha256').update(JSON.stringify({ crv, kty, x, y })).digest('base64url')
}

/** Makes an ES256 key pair (RFC 7518, 3.4); its private part is sealed and bound to its key id. */
export function createSigningKey (secrets: Secrets): NewSigningKey {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const kid = thumbprint(publicKey.export({ format: 'jwk' }))
  return {
    kid,
    algorithm: 'ES256',
    publicKey: publicKey.export({ format: 'pem', type: 'spki' }).toString(),
    privateKey: seal(secrets, 'signing-key', kid, privateKey.export({ format: 'pem', type: 'pkcs8' }).toString())
  }
}

/** The private part under the current secret, where it is under an older one that opens it; undefined otherwise. */
export function resealSigningKey (secrets: Secrets, row: SigningKeyRow): string | undefined {
  if (isSealedByCurrent(secrets, row.privateKey)) return undefined
  const { privateKey } = openSigningKey(secrets, row)
  return privateKey === undefined ? undefined : seal(secrets, 'signing-key', row.kid, privateKey)
}

/** Opens a stored key. */
export function openSigningKey (secrets: Secrets, row: SigningKeyRow): SigningKey {
  let privateKey: string | undefined
  try {
    privateKey = unseal(secrets, 'signing-key', row.kid, row.privateKey)
    createPrivateKey(privateKey)
  } catch {
    // A lost secret must not stop the service: the key still verifies, and a new one signs.
    privateKey = undefined
  }
  return { kid: row.kid, algorithm: 'ES256', publicKey: row.publicKey, privateKey }
}

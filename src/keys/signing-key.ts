import { createPrivateKey, createPublicKey } from 'node:crypto'
import type { NewSigningKey, SigningKeyRow } from '../db/signing-keys.ts'
import type { VerificationKey } from './access-tokens.ts'
import { algorithmOf, generateKeys, thumbprint, type Algorithm } from './algorithms.ts'
import { isSealedByCurrent, seal, unseal } from './sealing.ts'
import type { Secrets } from './secrets.ts'

/** A key as the service uses it: PEM texts. `privateKey` is undefined where no configured secret opens it, or it is of no more use. */
export interface SigningKey extends VerificationKey {
  privateKey: string | undefined
  /** Milliseconds since the epoch, by the database's clock, from which it signs. */
  activatesAt: number
  /** The same clock, from when it no longer does; Infinity while nothing is planned. */
  retiresAt: number
}

/** Makes a key pair; its private part is sealed and bound to its key id. */
export async function createSigningKey (secrets: Secrets, algorithm: Algorithm): Promise<NewSigningKey> {
  const { publicKey, privateKey } = await generateKeys(algorithm)
  const kid = thumbprint(createPublicKey(publicKey).export({ format: 'jwk' }))
  return { kid, algorithm, publicKey, privateKey: seal(secrets, 'signing-key', kid, privateKey) }
}

/** The private part under the current secret, where it is under an older one that opens it; undefined otherwise. */
export function resealSigningKey (secrets: Secrets, row: SigningKeyRow): string | undefined {
  if (row.privateKey === null || isSealedByCurrent(secrets, row.privateKey)) return undefined
  const privateKey = openPrivateKey(secrets, row)
  return privateKey === undefined ? undefined : seal(secrets, 'signing-key', row.kid, privateKey)
}

/** Opens a stored key; undefined for one of an algorithm that this release does not know. */
export function openSigningKey (secrets: Secrets, row: SigningKeyRow): SigningKey | undefined {
  const algorithm = algorithmOfRow(row)
  if (algorithm === undefined) return undefined
  return { kid: row.kid, algorithm, publicKey: row.publicKey, privateKey: openPrivateKey(secrets, row), activatesAt: row.activatesAt.getTime(), retiresAt: row.retiredAt?.getTime() ?? Infinity }
}

function algorithmOfRow ({ publicKey, algorithm }: SigningKeyRow): Algorithm | undefined {
  try {
    const known = algorithmOf(createPublicKey(publicKey))
    return known === algorithm ? known : undefined
  } catch {
    return undefined
  }
}

function openPrivateKey (secrets: Secrets, { kid, privateKey: sealed }: SigningKeyRow): string | undefined {
  if (sealed === null) return undefined
  try {
    const privateKey = unseal(secrets, 'signing-key', kid, sealed)
    createPrivateKey(privateKey)
    return privateKey
  } catch {
    // A lost secret must not stop the service: the key still verifies, and a new one signs.
    return undefined
  }
}

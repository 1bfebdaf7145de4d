import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import type { Purpose, Secrets } from './secrets.ts'

const version = 'v1'

/** A ciphertext that none of the configured secrets opens, or that was changed. */
export class UnsealError extends Error {
  override readonly name = 'UnsealError'
}

/**
 * Encrypts with AES-256-GCM (NIST SP 800-38D) under the current secret: `v1.<secret id>.<iv>.<tag>.<ciphertext>`.
 * `context` is authenticated, so that a ciphertext cannot be moved to another row.
 */
export function seal (secrets: Secrets, purpose: Purpose, context: string, plaintext: string): string {
  const iv = randomBytes(12)
  const head = `${version}.${secrets.current.id}`
  const cipher = createCipheriv('aes-256-gcm', secrets.current.derive(purpose), iv)
  cipher.setAAD(Buffer.from(`${head}.${context}`))
  const ciphertext = Buffer.concat([cipher.update(plaintext, 'utf8'), cipher.final()])
  return [head, iv.toString('base64url'), cipher.getAuthTag().toString('base64url'), ciphertext.toString('base64url')].join('.')
}

/** Whether a ciphertext is under the secret that seals now, not an older one. */
export const isSealedByCurrent = (secrets: Secrets, sealed: string): boolean => sealed.split('.')[1] === secrets.current.id

/** Opens what {@link seal} made with any of the secrets. Throws {@link UnsealError}. */
export function unseal (secrets: Secrets, purpose: Purpose, context: string, sealed: string): string {
  const [sealedVersion, secretId = '', iv = '', tag = '', ciphertext = ''] = sealed.split('.')
  const secret = secrets.find(secretId)
  if (sealedVersion !== version || secret === undefined) throw new UnsealError('sealed under a secret that is not configured')
  try {
    const decipher = createDecipheriv('aes-256-gcm', secret.derive(purpose), Buffer.from(iv, 'base64url'), { authTagLength: 16 })
    decipher.setAAD(Buffer.from(`${version}.${secretId}.${context}`))
    decipher.setAuthTag(Buffer.from(tag, 'base64url'))
    return Buffer.concat([decipher.update(Buffer.from(ciphertext, 'base64url')), decipher.final()]).toString('utf8')
  } catch (error) {
    throw new UnsealError('the ciphertext does not authenticate', { cause: error })
  }
}

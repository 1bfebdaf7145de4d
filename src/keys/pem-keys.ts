import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { algorithmOf, minRsaBits, thumbprint, toPem, type Algorithm } from './algorithms.ts'

/** A key that is managed outside, from a PEM text: a private key signs and verifies, a public one verifies only. */
export interface PemKey { kid: string, algorithm: Algorithm, publicKey: string, privateKey: string | undefined }

/** What of several PEM texts can be used, and what is wrong with the others, by their place in the list. */
export interface PemKeys { keys: PemKey[], problems: { index: number, message: string }[] }

const notPem = 'it is no private or public key in PEM (PKCS #8, SEC 1 or PKCS #1; SPKI for a public one)'

/** Both parts of a PEM text. The public one comes from the private one, so that they belong together. */
function readParts (pem: string): { publicKey: KeyObject, privateKey: KeyObject | undefined } {
  if (/ENCRYPTED/.test(pem)) throw new TypeError('it is encrypted: decrypt it, for example with "openssl pkey -in FILE -out NEW"')
  if ((pem.match(/-----BEGIN [A-Z ]*KEY-----/g) ?? []).length > 1) throw new TypeError('it holds more than one key: give each one for itself')
  try {
    if (!pem.includes('PRIVATE KEY-----')) return { publicKey: createPublicKey(pem), privateKey: undefined }
    const privateKey = createPrivateKey(pem)
    return { publicKey: createPublicKey(privateKey), privateKey }
  } catch {
    throw new TypeError(notPem)
  }
}

/**
 * Reads a PEM text: PKCS #8, SEC 1 or PKCS #1 for a private key, SPKI for a public one.
 *
 * @throws TypeError for what is no such key, or one that is too weak, without showing anything of it.
 */
export function readPemKey (pem: string): PemKey {
  const { publicKey, privateKey } = readParts(pem)
  const algorithm = algorithmOf(publicKey)
  if (algorithm === undefined) {
    const bits = publicKey.asymmetricKeyType === 'rsa' ? publicKey.asymmetricKeyDetails?.modulusLength : undefined
    throw new TypeError(bits === undefined ? 'it is no P-256, Ed25519 or RSA key' : `its RSA modulus has ${bits} bits and needs ${minRsaBits} at least`)
  }
  return {
    kid: thumbprint(publicKey.export({ format: 'jwk' })),
    algorithm,
    publicKey: toPem(publicKey),
    privateKey: privateKey?.export({ format: 'pem', type: 'pkcs8' }).toString()
  }
}

/** Reads several PEM texts; a key that comes twice is one of the problems. */
export function readPemKeys (texts: readonly string[]): PemKeys {
  const read: PemKeys = { keys: [], problems: [] }
  for (const [index, text] of texts.entries()) {
    try {
      const key = readPemKey(text)
      if (read.keys.some(({ kid }) => kid === key.kid)) throw new TypeError('it is the same key as one before it')
      read.keys.push(key)
    } catch (error) {
      read.problems.push({ index, message: error instanceof Error ? error.message : notPem })
    }
  }
  return read
}

/** Keys of files that were not revoked, and the one of them that signs: the first that has a private part. */
export function usablePemKeys (keys: readonly PemKey[], revoked: readonly string[]): { usable: PemKey[], signer: PemKey | undefined } {
  const usable = keys.filter(({ kid }) => !revoked.includes(kid))
  return { usable, signer: usable.find(({ privateKey }) => privateKey !== undefined) }
}

/** Whether the service makes no keys, because one of these signs; public ones alone only verify beside those that it makes. */
export const isManagedOutside = (keys: readonly PemKey[]): boolean => keys.some(({ privateKey }) => privateKey !== undefined)

import { createHash, generateKeyPair, type JsonWebKey, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import { Type, type Static } from '@sinclair/typebox'

/** The JWS algorithms that sign access tokens (RFC 7518, 3.1; RFC 8037, 3.1). Never `none`, never HMAC (RFC 8725, 3.1). */
export const AlgorithmSchema = Type.Union([Type.Literal('ES256'), Type.Literal('EdDSA'), Type.Literal('RS256')], { default: 'ES256' })
export type Algorithm = Static<typeof AlgorithmSchema>

/** A key pair as PEM texts (RFC 7468). */
export interface KeyPair { publicKey: string, privateKey: string }

/** Bits of an RSA modulus that we make and that key files must have (NIST SP 800-57: 128 bits of security). */
export const minRsaBits = 3072

const generate = promisify(generateKeyPair)

/** Makes a key pair. Off the main thread: an RSA key takes a good part of a second. */
export async function generateKeys (algorithm: Algorithm): Promise<KeyPair> {
  const { publicKey, privateKey } = algorithm === 'ES256'
    ? await generate('ec', { namedCurve: 'P-256' })
    : algorithm === 'EdDSA' ? await generate('ed25519', {}) : await generate('rsa', { modulusLength: minRsaBits })
  return { publicKey: toPem(publicKey), privateKey: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString() }
}

/** The public key as SPKI in PEM. */
export const toPem = (publicKey: KeyObject): string => publicKey.export({ format: 'pem', type: 'spki' }).toString()

/** The one algorithm that a key is for, by its type; undefined for keys that we do not take, such as RSA of fewer bits. */
export function algorithmOf (key: KeyObject, rsaBits = minRsaBits): Algorithm | undefined {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details = {} } = key
  if (type === 'ec' && details.namedCurve === 'prime256v1') return 'ES256'
  if (type === 'ed25519') return 'EdDSA'
  return type === 'rsa' && (details.modulusLength ?? 0) >= rsaBits ? 'RS256' : undefined
}

/** Length of a raw signature in bytes (RFC 7518, 3.3 and 3.4; RFC 8032, 5.1.6). */
export function signatureBytes (publicKey: KeyObject): number {
  return publicKey.asymmetricKeyType === 'rsa' ? Math.ceil((publicKey.asymmetricKeyDetails?.modulusLength ?? 0) / 8) : 64
}

/** The JWK thumbprint (RFC 7638; RFC 8037, appendix A.3), which is the key id of our keys. */
export function thumbprint ({ crv, e, kty, n, x, y }: JsonWebKey): string {
  const members = kty === 'RSA' ? { e, kty, n } : kty === 'OKP' ? { crv, kty, x } : { crv, kty, x, y }
  return createHash('sha256').update(JSON.stringify(members)).digest('base64url')
}

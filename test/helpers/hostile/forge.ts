import { constants, createHmac, createPrivateKey, generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import type { Algorithm } from '../../../src/keys/algorithms.ts'

/** A key of the service under test, PEM texts, and live tokens that it signed. */
export interface Victim {
  kid: string
  algorithm: Algorithm
  publicKey: string
  privateKey: string
  token: string
  /** Another live token of the same key. */
  otherToken: string
  refreshToken: string
  /** Addresses that a foolish verifier would fetch keys from. */
  urls: string[]
  /** Other keys that are in use beside it. */
  neighbours?: { kid: string, algorithm: Algorithm }[]
}

/** A text as it stands, bytes, or a value to become JSON; members that are undefined are left out. */
export type Content = string | Buffer | object | number | null

export function encode (content: Content): string {
  const bytes = typeof content === 'string' || Buffer.isBuffer(content) ? content : JSON.stringify(content)
  return Buffer.from(bytes).toString('base64url')
}

/** A raw JWS signature by any algorithm that has a name (RFC 7518, 3.1; RFC 8037; RFC 8812). */
export function signBytes (algorithm: string, key: KeyObject | Buffer, input: string): Buffer {
  const [family, data] = [algorithm.slice(0, 2), Buffer.from(input)]
  const digest = algorithm === 'ES256K' ? 'sha256' : `sha${algorithm.slice(2)}`
  if (Buffer.isBuffer(key)) return createHmac(digest, key).update(data).digest()
  if (family === 'Ed') return sign(null, data, key)
  if (family === 'ES') return sign(digest, data, { key, dsaEncoding: 'ieee-p1363' })
  return family === 'PS'
    ? sign(digest, data, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST })
    : sign(digest, data, key)
}

const ec = (namedCurve: string): KeyObject => generateKeyPairSync('ec', { namedCurve }).privateKey
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey

/** Keys of somebody else, by the algorithm that they sign with. */
export const strangers: Record<string, KeyObject> = {
  ES256: ec('P-256'),
  ES384: ec('P-384'),
  ES512: ec('P-521'),
  ES256K: ec('secp256k1'),
  EdDSA: generateKeyPairSync('ed25519').privateKey,
  ...Object.fromEntries(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'].map(name => [name, rsa]))
}

export type Forge = ReturnType<typeof createForge>

/** Makes tokens out of what is known of a victim, and out of its stolen key. */
export function createForge (victim: Victim) {
  const [header = '', payload = '', signature = ''] = victim.token.split('.')
  const key = createPrivateKey(victim.privateKey)
  const fields = { alg: victim.algorithm, typ: 'at+jwt', kid: victim.kid }
  const claims: Record<string, unknown> = JSON.parse(Buffer.from(payload, 'base64url').toString())
  const seal = (head: string, body: string, algorithm: string = victim.algorithm, by: KeyObject | Buffer = key): string =>
    `${head}.${body}.${signBytes(algorithm, by, `${head}.${body}`).toString('base64url')}`
  return {
    key,
    header,
    payload,
    signature,
    fields,
    claims,
    signatureBytes: Buffer.from(signature, 'base64url'),
    /** Signs two segments as they stand, with the victim's key unless told otherwise. */
    seal,
    /** Really signed, with another payload under the exact header. */
    withPayload: (content: Content): string => seal(header, encode(content)),
    withClaims: (changes: object): string => seal(header, encode({ ...claims, ...changes })),
    /** Really signed, with another header over the right claims. */
    withHeader: (content: Content): string => seal(encode(content), payload),
    /** The token with another signature. */
    withSignature: (bytes: Buffer): string => `${header}.${payload}.${bytes.toString('base64url')}`,
    /** Not signed by the victim's key at all. */
    byStranger: (algorithm: string, head: Content): string => seal(encode(head), payload, algorithm, strangers[algorithm])
  }
}

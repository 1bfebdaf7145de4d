import { createPublicKey, randomUUID } from 'node:crypto'
import { Type, type Static } from '@sinclair/typebox'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import { createSigner, createVerifier } from 'fast-jwt'
import { LRUCache } from 'lru-cache'
import { CodedError } from '../errors.ts'
import { AlgorithmSchema, signatureBytes, type Algorithm } from './algorithms.ts'

const uuid = Type.String({ pattern: '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$' })
const seconds = Type.Integer({ minimum: 0 })

/** The claims of an access token (RFC 9068, 2.2), with the session (`sid`) and the user's authorization version (`ver`). */
const AccessTokenClaimsSchema = Type.Object({
  iss: Type.String(),
  aud: Type.String(),
  sub: uuid,
  client_id: Type.String(),
  iat: seconds,
  nbf: seconds,
  exp: seconds,
  jti: Type.String(),
  sid: uuid,
  ver: Type.Integer({ minimum: 1 }),
  roles: Type.Array(Type.String()),
  auth_time: seconds,
  amr: Type.Array(Type.String())
})
export type AccessTokenClaims = Static<typeof AccessTokenClaimsSchema>

const claimsCheck = TypeCompiler.Compile(AccessTokenClaimsSchema)

export interface AccessTokenOptions {
  issuer: string
  audience: string
  clientId: string
}

/** Whom a token is for and how long: times are seconds since the epoch. */
export interface AccessTokenSubject {
  userId: string
  sessionId: string
  authzVersion: number
  roles: string[]
  authTime: number
  issuedAt: number
  expiresAt: number
}

/** What verifies tokens: a public key in PEM, and the one algorithm that it is for. */
export interface VerificationKey { kid: string, algorithm: Algorithm, publicKey: string }

/** Clocks of instances may differ by this much (seconds); it is granted to `nbf`, never to `exp`. */
const maxClockSkew = 30

const compactJws = /^([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+\.([A-Za-z0-9_-]+)$/

const tokenInvalid = () => new CodedError('TOKEN_INVALID', 'The access token is not acceptable; sign in again.')
const tokenExpired = () => new CodedError('TOKEN_EXPIRED', 'The access token has expired; refresh it or sign in again.')

/** The exact header of every token of a key, encoded: a token with any other header is not ours (RFC 8725, 3.1). */
function encodedHeader (key: Pick<VerificationKey, 'kid' | 'algorithm'>): string {
  return Buffer.from(JSON.stringify({ alg: key.algorithm, typ: 'at+jwt', kid: key.kid })).toString('base64url')
}

const headerCheck = TypeCompiler.Compile(Type.Object({ alg: AlgorithmSchema, kid: Type.String() }))

/**
 * Whether a header is one that some key of ours could have. Any other one, such as one with `jku`, `x5u`, `jwk` or `crit`,
 * is never right, so nothing needs to be asked because of it.
 */
function mayBeOurs (header: string): boolean {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(header, 'base64url').toString())
    return headerCheck.Check(parsed) && encodedHeader({ kid: parsed.kid, algorithm: parsed.alg }) === header
  } catch {
    return false
  }
}

/** Makes a function that signs access tokens (RFC 9068) with one key. */
export function createAccessTokenSigner (key: VerificationKey & { privateKey: string }, options: AccessTokenOptions): (subject: AccessTokenSubject) => string {
  const sign = createSigner({ key: key.privateKey, algorithm: key.algorithm, header: { alg: key.algorithm, typ: 'at+jwt', kid: key.kid } })
  return subject => sign({
    iss: options.issuer,
    aud: options.audience,
    sub: subject.userId,
    client_id: options.clientId,
    iat: subject.issuedAt,
    nbf: subject.issuedAt,
    exp: subject.expiresAt,
    jti: randomUUID(),
    sid: subject.sessionId,
    ver: subject.authzVersion,
    roles: subject.roles,
    auth_time: subject.authTime,
    amr: ['pwd']
  } satisfies AccessTokenClaims)
}

export interface AccessTokenVerifierOptions {
  issuer: string
  audience: string
  /** Milliseconds since the epoch, by a clock that does not jump. */
  now: () => number
  /** Verified tokens that are remembered, the most recently used ones; 0 remembers none. */
  cacheSize: number
  /** Counts on, across the verifiers that follow one another as keys change. */
  tokenCache?: TokenCacheCounts
}

/** How often a token was remembered (`hits`) and had to be verified (`misses`), and how many are remembered now. */
export interface TokenCacheCounts { hits: number, misses: number, size: number }

/** Verifies one token. Throws CodedError TOKEN_INVALID or TOKEN_EXPIRED; undefined where only a key that is not known could have made it. */
export type AccessTokenVerifier = (token: string) => AccessTokenClaims | undefined

/**
 * A signature in the one spelling that base64url has for it. A token of ES256 has a second text all the same, with the
 * signature (r, n - s), so nothing may be told apart or revoked by the text of a token.
 */
function isCanonical (signature: string, bytes: number): boolean {
  const raw = Buffer.from(signature, 'base64url')
  return raw.length === bytes && raw.toString('base64url') === signature
}

/** Whoever is handed remembered claims must not be able to change them for the next one. */
function deepFreeze (claims: AccessTokenClaims): AccessTokenClaims {
  Object.freeze(claims.roles)
  Object.freeze(claims.amr)
  return Object.freeze(claims)
}

/** Verifies everything of a token but its times, with one prebuilt fast-jwt verifier per key. */
function createSignatureCheck (keys: readonly VerificationKey[], { issuer, audience }: AccessTokenVerifierOptions): AccessTokenVerifier {
  const verifiers = new Map(keys.map(key => [encodedHeader(key), {
    bytes: signatureBytes(createPublicKey(key.publicKey)),
    verify: createVerifier({
      key: key.publicKey,
      algorithms: [key.algorithm],
      allowedIss: issuer,
      allowedAud: audience,
      ignoreExpiration: true,
      ignoreNotBefore: true,
      cache: false
    })
  }]))
  return token => {
    const [, header, signature] = compactJws.exec(token) ?? []
    if (header === undefined || signature === undefined) throw tokenInvalid()
    const known = verifiers.get(header)
    if (known === undefined) {
      if (mayBeOurs(header)) return undefined
      throw tokenInvalid()
    }
    if (!isCanonical(signature, known.bytes)) throw tokenInvalid()
    let claims: unknown
    try {
      claims = known.verify(token)
    } catch {
      throw tokenInvalid()
    }
    if (!claimsCheck.Check(claims)) throw tokenInvalid()
    return claims
  }
}

/**
 * Makes a verifier over these keys. Tokens that were verified are remembered, by the whole token, so that its signature
 * is computed once; its times are judged at each use. A change of keys needs a new verifier.
 */
export function createAccessTokenVerifier (keys: readonly VerificationKey[], options: AccessTokenVerifierOptions): AccessTokenVerifier {
  const check = createSignatureCheck(keys, options)
  const verified = options.cacheSize === 0 ? undefined : new LRUCache<string, AccessTokenClaims>({ max: options.cacheSize })
  const counts = options.tokenCache ?? { hits: 0, misses: 0, size: 0 }
  counts.size = 0
  return token => {
    const remembered = verified?.get(token)
    counts[remembered === undefined ? 'misses' : 'hits']++
    const claims = remembered ?? check(token)
    if (claims === undefined) return undefined
    const now = options.now() / 1000
    if (claims.exp <= now) throw tokenExpired()
    if (claims.nbf > now + maxClockSkew) throw tokenInvalid()
    if (remembered === undefined && verified !== undefined) counts.size = verified.set(token, deepFreeze(claims)).size
    return claims
  }
}

import { randomUUID } from 'node:crypto'
import { Type, type Static } from '@sinclair/typebox'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import { createSigner, createVerifier, TokenError } from 'fast-jwt'
import { CodedError } from '../errors.ts'
import type { SigningKey } from './signing-key.ts'

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

/** Clocks of instances may differ by this much (seconds); it is granted to `nbf`, never to `exp`. */
const maxClockSkew = 30

/** Three canonical base64url segments; the last is a raw 64-byte signature, whose final character has four zero bits. */
const compactJws = /^([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{85}[AQgw]$/

const tokenInvalid = () => new CodedError('TOKEN_INVALID', 'The access token is not acceptable; sign in again.')

/** The exact header of every token of a key, encoded: a token with any other header is not ours (RFC 8725, 3.1). */
function encodedHeader (key: SigningKey): string {
  return Buffer.from(JSON.stringify({ alg: key.algorithm, typ: 'at+jwt', kid: key.kid })).toString('base64url')
}

/** Makes a function that signs access tokens (RFC 9068) with one key. */
export function createAccessTokenSigner (key: SigningKey & { privateKey: string }, options: AccessTokenOptions): (subject: AccessTokenSubject) => string {
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

/** Verifies one token. Throws CodedError TOKEN_INVALID or TOKEN_EXPIRED; undefined where no known key could have made it. */
export type AccessTokenVerifier = (token: string) => AccessTokenClaims | undefined

/** Makes a verifier over all usable keys, with one prebuilt fast-jwt verifier per key. */
export function createAccessTokenVerifier (keys: readonly SigningKey[], options: AccessTokenOptions): AccessTokenVerifier {
  const verifiers = new Map(keys.map(key => [encodedHeader(key), createVerifier({
    key: key.publicKey,
    algorithms: [key.algorithm],
    allowedIss: options.issuer,
    allowedAud: options.audience,
    ignoreNotBefore: true,
    cache: false
  })]))
  return token => {
    const header = compactJws.exec(token)?.[1]
    if (header === undefined) throw tokenInvalid()
    const verify = verifiers.get(header)
    if (verify === undefined) return undefined
    let claims: unknown
    try {
      claims = verify(token)
    } catch (error) {
      if (error instanceof TokenError && error.code === TokenError.codes.expired) {
        throw new CodedError('TOKEN_EXPIRED', 'The access token has expired; refresh it or sign in again.')
      }
      throw tokenInvalid()
    }
    if (!claimsCheck.Check(claims) || claims.nbf > Date.now() / 1000 + maxClockSkew) throw tokenInvalid()
    return claims
  }
}

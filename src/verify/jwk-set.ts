import { createPublicKey, type KeyObject } from 'node:crypto'
import { Type, type Static } from '@sinclair/typebox'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import type { VerificationKey } from '../keys/access-tokens.ts'
import { algorithmOf, toPem } from '../keys/algorithms.ts'

/** Bits of an RSA modulus that another issuer's key must have (RFC 7518, 3.3). */
const minRsaBits = 2048

const text = Type.Optional(Type.String())
const setCheck = TypeCompiler.Compile(Type.Object({ keys: Type.Array(Type.Unknown()) }))
const EntrySchema = Type.Object({
  kty: Type.Union([Type.Literal('EC'), Type.Literal('OKP'), Type.Literal('RSA')]),
  kid: Type.String({ minLength: 1 }),
  use: Type.Optional(Type.Literal('sig')),
  key_ops: Type.Optional(Type.Array(Type.String())),
  alg: text,
  crv: text,
  x: text,
  y: text,
  n: text,
  e: text
})
const entryCheck = TypeCompiler.Compile(EntrySchema)

/** Takes the public members only, so that a private key that somebody published verifies and does no more. */
function publicKeyOf ({ kty, crv, x, y, n, e }: Static<typeof EntrySchema>): KeyObject | undefined {
  try {
    return createPublicKey({ format: 'jwk', key: { kty, crv, x, y, n, e } })
  } catch {
    return undefined
  }
}

function readEntry (entry: unknown): VerificationKey[] {
  if (!entryCheck.Check(entry) || entry.key_ops?.includes('verify') === false) return []
  const publicKey = publicKeyOf(entry)
  const algorithm = publicKey === undefined ? undefined : algorithmOf(publicKey, minRsaBits)
  if (publicKey === undefined || algorithm === undefined) return []
  return entry.alg === undefined || entry.alg === algorithm ? [{ kid: entry.kid, algorithm, publicKey: toPem(publicKey) }] : []
}

/**
 * The usable keys of a JWK set (RFC 7517, 5): P-256, Ed25519 and RSA that are for signatures, have an id, and name no other
 * algorithm than that of their type (RFC 8725, 3.1). Every other entry is passed over. Throws TypeError for what is no set,
 * and for one without any such key.
 */
export function readJwkSet (set: unknown): VerificationKey[] {
  if (!setCheck.Check(set)) throw new TypeError('it is no JWK set')
  const keys = set.keys.flatMap(readEntry)
  if (keys.length === 0) throw new TypeError('the JWK set holds no key that verifies access tokens')
  return keys
}

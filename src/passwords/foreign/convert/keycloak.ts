import { Type, type Static, type TSchema } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { acceptHash, type Acceptance } from '../accept.ts'
import { canonicalBase64 } from '../base64.ts'
import type { ForeignBounds } from '../bounds.ts'

/** A credential of type `password` in a realm export: both are JSON texts there. */
export interface KeycloakCredential { secretData: string, credentialData: string }

const SecretSchema = Type.Object({ value: Type.String(), salt: Type.String() })
const DataSchema = Type.Object({
  algorithm: Type.String(),
  hashIterations: Type.Integer({ minimum: 1 }),
  additionalParameters: Type.Optional(Type.Record(Type.String(), Type.Array(Type.String())))
})

function read<T extends TSchema> (schema: T, text: string): Static<T> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return Value.Check(schema, value) ? value : undefined
  } catch {
    return undefined
  }
}

const digests = new Map([['pbkdf2', 'sha1'], ['pbkdf2-sha256', 'sha256'], ['pbkdf2-sha512', 'sha512']])
const versions = new Map([['1.0', 16], ['1.3', 19]])

/** A password credential of Keycloak: pbkdf2, pbkdf2-sha256, pbkdf2-sha512 and argon2. */
export function fromKeycloak (credential: KeycloakCredential, bounds?: Partial<ForeignBounds>): Acceptance {
  const secret = read(SecretSchema, credential.secretData)
  const data = read(DataSchema, credential.credentialData)
  if (secret === undefined) return { refused: 'secretData is not JSON with value and salt' }
  if (data === undefined) return { refused: 'credentialData is not JSON with algorithm and hashIterations' }
  const { algorithm, hashIterations, additionalParameters = {} } = data
  const ending = `$${canonicalBase64(secret.salt)}$${canonicalBase64(secret.value)}`
  const digest = digests.get(algorithm)
  if (digest !== undefined) return acceptHash(`$pbkdf2-${digest}$i=${hashIterations}${ending}`, bounds)
  if (algorithm !== 'argon2') return { refused: 'the algorithm is none of pbkdf2, pbkdf2-sha256, pbkdf2-sha512 and argon2' }
  const [type, version, memory, parallelism] = ['type', 'version', 'memory', 'parallelism'].map(name => additionalParameters[name]?.[0])
  return acceptHash(`$argon2${type}$v=${versions.get(version ?? '')}$m=${memory},t=${hashIterations},p=${parallelism}${ending}`, bounds)
}

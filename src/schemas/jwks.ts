import { Type, type Static } from '@sinclair/typebox'

/** The public part of a key (RFC 7517, 4): an elliptic curve (RFC 7518, 6.2), Ed25519 (RFC 8037, 2) or RSA (RFC 7518, 6.3). */
export const JwkSchema = Type.Object({
  kty: Type.String(),
  crv: Type.Optional(Type.String()),
  x: Type.Optional(Type.String()),
  y: Type.Optional(Type.String()),
  n: Type.Optional(Type.String()),
  e: Type.Optional(Type.String()),
  kid: Type.String(),
  alg: Type.String(),
  use: Type.Literal('sig')
})
export type Jwk = Static<typeof JwkSchema>

/** A JSON Web Key Set (RFC 7517, 5). */
export const JwksSchema = Type.Object({ keys: Type.Array(JwkSchema) }, {
  description: 'The keys that verify access tokens',
  examples: [{
    keys: [{
      kty: 'EC',
      crv: 'P-256',
      x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
      y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
      kid: 'oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U',
      alg: 'ES256',
      use: 'sig'
    }]
  }]
})
export type Jwks = Static<typeof JwksSchema>

import { Type, type Static } from '@sinclair/typebox'

const JwkSchema = Type.Object({
  kty: Type.String(),
  crv: Type.String(),
  x: Type.String(),
  y: Type.String(),
  kid: Type.String(),
  alg: Type.String(),
  use: Type.Literal('sig')
})

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

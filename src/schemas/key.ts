import { Type, type Static } from '@sinclair/typebox'
import { Nullable } from './nullable.ts'
import { DateTime, Text } from './text.ts'

export const keyExample = {
  kid: 'oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U',
  algorithm: 'ES256',
  state: 'active' as const,
  source: 'database' as const,
  createdAt: '2026-01-01T11:50:00.000Z',
  activatesAt: '2026-01-01T12:00:00.000Z',
  retiresAt: null,
  expiresAt: null,
  revokedAt: null
}

/** A signing key as administrators see it: never its private part. */
export const KeySchema = Type.Object({
  kid: Type.String({ description: 'The JWK thumbprint (RFC 7638)' }),
  algorithm: Type.String({ description: 'ES256, EdDSA or RS256' }),
  state: Type.Union([Type.Literal('pending'), Type.Literal('active'), Type.Literal('retiring'), Type.Literal('retired'), Type.Literal('revoked')], {
    description: '"pending" is published and does not sign yet, "active" signs, "retiring" only verifies, "retired" and "revoked" are not published and verify nothing'
  }),
  source: Type.Union([Type.Literal('database'), Type.Literal('file')], { description: '"file" for a key that the operator manages' }),
  createdAt: Nullable(DateTime()),
  activatesAt: Nullable(DateTime({ description: 'From when it signs' })),
  retiresAt: Nullable(DateTime({ description: 'From when its successor signs; null while none is planned' })),
  expiresAt: Nullable(DateTime({ description: 'When its last token has expired, so that it is published no longer; null while that is not known' })),
  revokedAt: Nullable(DateTime())
}, { title: 'Key', examples: [keyExample] })
export type Key = Static<typeof KeySchema>

/** The id of a key in a path: those we make are thumbprints, but nothing is presumed of it. */
export const Kid = () => Text({
  minLength: 1,
  maxLength: 256,
  pattern: '^\\P{Cc}*$',
  'x-message': 'Write the key id as GET /admin/keys shows it.',
  description: 'Id of a key',
  examples: [keyExample.kid]
})

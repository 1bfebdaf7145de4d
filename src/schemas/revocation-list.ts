import { Type, type Static } from '@sinclair/typebox'

const Digest = (of: string) => Type.String({
  pattern: '^[A-Za-z0-9_-]{22}$',
  description: `SHA-256 of ${of} in base64url, its first 22 characters`
})

/** What was revoked and is about tokens that have not expired, without any id. */
export const RevocationListSchema = Type.Object({
  iss: Type.String({ minLength: 1, description: 'Whose revocations they are: the claim iss of the tokens' }),
  sessions: Type.Array(Digest('"session:" and the claim sid'), { description: 'Sessions that ended: their tokens are refused' }),
  users: Type.Array(Type.Object({
    digest: Digest('"user:" and the claim sub'),
    version: Type.Integer({ minimum: 1, description: 'Tokens whose claim ver is lower are refused' })
  }), { description: 'Users whose rights changed' })
}, {
  title: 'RevocationList',
  description: 'Revocations as digests: SHA-256 of "session:<sid>" or "user:<sub>", in base64url, truncated to 22 characters',
  examples: [{ iss: 'https://auth.example', sessions: ['nMbEOaPZ9xbZ4FJiHfK9OS'], users: [{ digest: 'Zk3v0aQxAZIAAAAAcACAAA', version: 2 }] }]
})
export type RevocationList = Static<typeof RevocationListSchema>

import { createPublicKey } from 'node:crypto'
import { createAccessTokenSigner, type AccessTokenClaims } from '../../src/keys/access-tokens.ts'
import { generateKeys, thumbprint, type Algorithm, type KeyPair } from '../../src/keys/algorithms.ts'
import { unseal } from '../../src/keys/sealing.ts'
import { createSecrets } from '../../src/keys/secrets.ts'
import type { TestApp } from './app.ts'
import { connect } from './database.ts'
import type { Victim } from './hostile-tokens.ts'

export const tokenOptions = { issuer: 'https://issuer.test', audience: 'auth-serve', clientId: 'auth-serve' }

export interface SigningVictim extends Victim {
  /** A token of the given life, from now or from the given moment (seconds since the epoch). */
  sign(life?: { issuedAt?: number, lifeSeconds?: number }): string
}

/** A key with live tokens, without any service around it. */
export async function createVictim (algorithm: Algorithm, urls: string[] = [], pair?: KeyPair): Promise<SigningVictim> {
  const { publicKey, privateKey } = pair ?? await generateKeys(algorithm)
  const kid = thumbprint(createPublicKey(publicKey).export({ format: 'jwk' }))
  const signer = createAccessTokenSigner({ kid, algorithm, publicKey, privateKey }, tokenOptions)
  const sign: SigningVictim['sign'] = ({ issuedAt = Math.floor(Date.now() / 1000), lifeSeconds = 900 } = {}) => signer({
    userId: '0199aaaa-bbbb-7ccc-8ddd-eeeeffff0001',
    sessionId: '0199aaaa-bbbb-7ccc-8ddd-eeeeffff0002',
    authzVersion: 1,
    roles: ['user'],
    authTime: issuedAt,
    issuedAt,
    expiresAt: issuedAt + lifeSeconds
  })
  return { kid, algorithm, publicKey, privateKey, token: sign(), otherToken: sign(), refreshToken: `asr_1.aaaaaaaa.0199aaaa-bbbb-7ccc-8ddd-eeeeffff0002.1.${'A'.repeat(43)}.${'A'.repeat(43)}`, urls, sign }
}

export const claimsOf = (token: string): AccessTokenClaims => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())

/** The key that a service signs with, stolen from its database together with its secret. */
export async function stealKey ({ database }: TestApp, secret: string): Promise<KeyPair & { algorithm: Algorithm }> {
  const sql = connect(database)
  const [row] = await sql`select kid, algorithm, public_key, private_key from signing_keys where revoked_at is null`
  await sql.end()
  return { algorithm: row?.algorithm, publicKey: row?.public_key, privateKey: unseal(createSecrets([secret]), 'signing-key', row?.kid, row?.private_key) }
}

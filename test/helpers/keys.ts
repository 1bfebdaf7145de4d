import { createLocalJWKSet, decodeProtectedHeader, jwtVerify, type JWTPayload } from 'jose'
import type { Test } from 'tap'
import { v7 as uuidv7 } from 'uuid'
import { createAudit } from '../../src/audit/audit.ts'
import type { DatabaseLocation } from '../../src/db/client.ts'
import { createPool } from '../../src/db/pool.ts'
import { createDatabase, type Database } from '../../src/db/stores.ts'
import type { AccessTokenSubject } from '../../src/keys/access-tokens.ts'
import { createDatabaseClock } from '../../src/keys/database-clock.ts'
import { createKeyRing, type KeyRing, type KeyRingOptions } from '../../src/keys/key-ring.ts'
import type { PemKey } from '../../src/keys/pem-keys.ts'
import { createRotateKeysWhenDue } from '../../src/keys/rotate-keys-when-due.ts'
import { createSecrets } from '../../src/keys/secrets.ts'
import type { KeyPolicy } from '../../src/keys/stored-keys.ts'
import type { Key } from '../../src/schemas/key.ts'
import { testSecret, type TestApp } from './app.ts'
import { connect } from './database.ts'
import { post, signIn, signUp, type Person } from './people.ts'

/** Registers somebody and makes an administrator of them. */
export async function signUpAdmin (api: TestApp): Promise<Person> {
  const person = await signUp(api)
  const sql = connect(api.database)
  await sql`update users set roles = '{user,admin}' where id = ${person.id}`
  await sql.end()
  return await signIn(api, person.email)
}

export const kidOf = (token: string): string => String(decodeProtectedHeader(token).kid)

export const jwksOf = async (api: TestApp) => (await api.request({ method: 'GET', url: '/.well-known/jwks.json' })).json()

export const publishedKids = async (api: TestApp): Promise<string[]> => (await jwksOf(api)).keys.map(({ kid }: { kid: string }) => kid)

/** Verifies as somebody else's service would: with another library, and what the service publishes. */
export async function verifyElsewhere (api: TestApp, token: string, algorithm: string): Promise<JWTPayload> {
  const { payload } = await jwtVerify(token, createLocalJWKSet(await jwksOf(api)), {
    issuer: 'https://issuer.test', audience: 'auth-serve', typ: 'at+jwt', algorithms: [algorithm]
  })
  return payload
}

export async function listKeys (api: TestApp, admin: Person): Promise<Key[]> {
  return (await api.request({ method: 'GET', url: '/api/v1/admin/keys', headers: admin.authorization })).json().items
}

export async function rotateKeys (api: TestApp, admin: Person) {
  return await post(api, '/admin/keys/rotate', '', admin.authorization)
}

export async function revokeKey (api: TestApp, admin: Person, kid: string) {
  return await post(api, `/admin/keys/${encodeURIComponent(kid)}/revoke`, '', admin.authorization)
}

/** The stores of a database, for rules that no route runs. */
export function openStores (t: Test, location: DatabaseLocation): Database {
  const pool = createPool({ location, max: 5, queue: 10, acquireTimeoutMs: 2000, statementTimeoutMs: 5000, connectTimeoutSeconds: 3, preparedStatements: true })
  t.teardown(async () => { await pool.close() })
  return createDatabase(pool)
}

export const testPolicy: KeyPolicy = { secrets: createSecrets([testSecret]), algorithm: 'ES256', accessTtlSeconds: 900, activationSeconds: 5 }

/** The background job, as one more instance would run it. */
export function rotateWhenDue (t: Test, location: DatabaseLocation, rotationDays: number, pemKeys: PemKey[] = []): () => Promise<void> {
  const audit = createAudit(openStores(t, location), () => {})
  const rotate = createRotateKeysWhenDue({ keyPolicy: testPolicy, pemKeys, keyRotationDays: rotationDays })
  return async () => { await audit.transaction({ requestId: null, ipAddress: null, userAgent: null }, rotate) }
}

/** A key ring of its own, with what it complained of. */
export function openKeyRing (database: Database, options: Partial<KeyRingOptions> = {}): { ring: KeyRing, complaints: string[] } {
  const complaints: string[] = []
  const ring = createKeyRing({
    ...testPolicy,
    issuer: 'https://issuer.test',
    audience: 'auth-serve',
    clientId: 'auth-serve',
    database,
    clock: createDatabaseClock(),
    pemKeys: [],
    reloadIntervalMs: 100,
    maxStalenessSeconds: 60,
    tokenCacheSize: 10,
    onLockedKeys: () => { complaints.push('locked') },
    onNoSigner: () => { complaints.push('no signer') },
    onReloadFailed: () => { complaints.push('reload failed') },
    ...options
  })
  return { ring, complaints }
}

/** Whom a token of a test is for. */
export function subjectNow (): AccessTokenSubject {
  const issuedAt = Math.floor(Date.now() / 1000)
  return { userId: uuidv7(), sessionId: uuidv7(), authzVersion: 1, roles: ['user'], authTime: issuedAt, issuedAt, expiresAt: issuedAt + 900 }
}

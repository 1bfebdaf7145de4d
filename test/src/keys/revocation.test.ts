import t from 'tap'
import { readPemKey } from '../../../src/keys/pem-keys.ts'
import { createTestApp, type TestApp } from '../../helpers/app.ts'
import { connect, createTestDatabase } from '../../helpers/database.ts'
import { kidOf, listKeys, publishedKids, revokeKey, rotateKeys, signUpAdmin } from '../../helpers/keys.ts'
import { goodPassword, newEmail, post, readMe, refresh, signIn, signUp } from '../../helpers/people.ts'
import { ed25519, p256, privatePem } from '../../helpers/pem.ts'
import { until } from '../../helpers/until.ts'

const issuer = 'https://issuer.test'

/** Waits until an instance refuses a token; answers the milliseconds that it took. */
async function untilRefused (api: TestApp, token: string): Promise<number> {
  const from = performance.now()
  await until('the token is refused', async () => (await readMe(api, token)).json().code === 'TOKEN_INVALID')
  return performance.now() - from
}

t.test('revoking the key that signs', async t => {
  const location = await createTestDatabase(t)
  const [one, two] = [await createTestApp(t, {}, location), await createTestApp(t, {}, location)]
  const sql = connect(location)
  t.teardown(async () => { await sql.end() })
  const admin = await signUpAdmin(one)
  const person = await signUp(two)
  for (const api of [one, two]) t.equal((await readMe(api, person.accessToken)).statusCode, 200, 'remembered as verified')
  const kid = kidOf(person.accessToken)

  t.equal((await revokeKey(one, admin, kid)).statusCode, 204)
  t.equal((await readMe(one, person.accessToken)).json().code, 'TOKEN_INVALID', 'at once where it was revoked')
  const elsewhere = await untilRefused(two, person.accessToken)
  t.ok(elsewhere < 1000, `${elsewhere} ms on the other instance`)
  for (const [api, another] of [[one, two], [two, one]] as const) {
    const fresh = await signIn(api, person.email)
    t.not(kidOf(fresh.accessToken), kid, 'a new key signs at once')
    for (const instance of [another, api]) t.equal((await readMe(instance, fresh.accessToken)).statusCode, 200)
    t.notOk((await publishedKids(api)).includes(kid))
  }
  t.equal((await refresh(two, person.refreshToken)).statusCode, 200, 'sessions live on')
  const [row] = await sql`select private_key, revoked_at, retired_at from signing_keys where kid = ${kid}`
  t.match(row, { private_key: null, revoked_at: Date, retired_at: Date })
  t.equal((await sql`select 1 from signing_keys`).length, 2, 'the instances agree on one')

  const again = await signIn(one, admin.email)
  t.equal((await revokeKey(one, again, kid)).statusCode, 204, 'once more changes nothing')
  const events = await sql`select details from audit_events where type = 'authz_admin'`
  t.match([...events], [{ details: { action: 'key_revoked', kid } }])
  t.equal(events.length, 1)
  const [, revoked] = await listKeys(one, again)
  t.match(revoked, { kid, state: 'revoked', revokedAt: /Z$/ })
})

t.test('revoking a pending key: the next one is published before it signs', async t => {
  const api = await createTestApp(t, { jwt: { issuer, keyActivationSeconds: 2 } })
  const admin = await signUpAdmin(api)
  const pending = (await rotateKeys(api, admin)).json().kid
  t.equal((await revokeKey(api, admin, pending)).statusCode, 204)
  t.equal((await readMe(api, admin.accessToken)).statusCode, 200, 'tokens of the key that signs are not touched')
  const [next, revoked, active] = (await listKeys(api, admin)).sort((a, b) => (b.createdAt ?? '').localeCompare(a.createdAt ?? ''))
  t.match([next, revoked, active], [{ state: 'pending', retiresAt: null }, { kid: pending, state: 'revoked' }, { kid: kidOf(admin.accessToken), state: 'active' }])
  t.equal(active?.retiresAt, next?.activatesAt, 'and there is no gap between them')
  t.ok((await publishedKids(api)).includes(next?.kid ?? ''))
})

t.test('revoking a retired key changes nothing for the one that signs', async t => {
  const api = await createTestApp(t, { jwt: { issuer, keyActivationSeconds: 0 } })
  const first = await signUpAdmin(api)
  await rotateKeys(api, first)
  await until('the new key signs', async () => kidOf((await signIn(api, first.email)).accessToken) !== kidOf(first.accessToken))
  const second = await signIn(api, first.email)
  t.equal((await revokeKey(api, second, kidOf(first.accessToken))).statusCode, 204)
  t.equal((await readMe(api, first.accessToken)).statusCode, 401)
  t.equal((await readMe(api, second.accessToken)).statusCode, 200)
  t.equal((await listKeys(api, second)).length, 2, 'no key was made')
})

t.test('keys of files: the next private one signs; without one the answer is 503', async t => {
  const location = await createTestDatabase(t)
  const keys = [privatePem(p256()), privatePem(ed25519())]
  const [firstKid, secondKid] = keys.map(pem => readPemKey(pem).kid)
  const [one, two] = [await createTestApp(t, { jwt: { issuer, keys } }, location), await createTestApp(t, { jwt: { issuer, keys } }, location)]
  const admin = await signUpAdmin(one)
  t.match(await listKeys(one, admin), [{ kid: firstKid, state: 'active' }, { kid: secondKid, state: 'pending' }])

  t.equal((await revokeKey(one, admin, kidOf(admin.accessToken))).statusCode, 204)
  t.equal((await readMe(one, admin.accessToken)).statusCode, 401)
  await untilRefused(two, admin.accessToken)
  const second = await signIn(two, admin.email)
  t.equal(kidOf(second.accessToken), secondKid)
  t.match(await listKeys(one, second), [{ kid: firstKid, state: 'revoked', revokedAt: /Z$/ }, { kid: secondKid, state: 'active' }])

  t.equal((await revokeKey(two, second, kidOf(second.accessToken))).statusCode, 204)
  await untilRefused(one, second.accessToken)
  const sql = connect(location)
  t.teardown(async () => { await sql.end() })
  const sessions = async () => (await sql`select id, refresh_counter from sessions order by id`).map(row => ({ ...row }))
  const before = await sessions()
  for (const api of [one, two]) {
    t.match((await post(api, '/auth/login', { email: admin.email, password: goodPassword })).json(), { status: 503, code: 'SERVICE_UNAVAILABLE' })
    t.match((await refresh(api, second.refreshToken)).json(), { status: 503 })
    t.match(api.log.lines().filter(line => /could sign is revoked/.test(String(line.msg))), [{ level: 'error' }])
    t.same(await publishedKids(api), [])
    t.equal((await post(api, '/auth/register', { email: newEmail(), password: goodPassword })).statusCode, 201, 'what needs no token goes on')
  }
  t.same(await sessions(), before, 'nothing was opened or rotated that could not be answered')

  const restarted = await createTestApp(t, { jwt: { issuer, keys: [privatePem(p256()), ...keys] } }, location)
  t.equal((await refresh(restarted, second.refreshToken)).statusCode, 200, 'with another key all goes on')
  t.equal((await publishedKids(restarted)).length, 1, 'the revoked ones are remembered')
})

t.test('rights that changed stay changed for tokens of keys of files, whatever the stored keys say', async t => {
  const location = await createTestDatabase(t)
  await signUp(await createTestApp(t, { sessions: { accessTtlSeconds: 5 } }, location))
  const api = await createTestApp(t, { jwt: { issuer, keys: [privatePem(p256())] }, sessions: { accessTtlSeconds: 7200 } }, location)
  const person = await signUp(api)
  const sql = connect(location)
  t.teardown(async () => { await sql.end() })
  await sql`update users set roles = '{user,admin}' where id = ${person.id}`
  const [{ seconds } = { seconds: 0 }] = await sql<{ seconds: number }[]>`select extract(epoch from expires_at - now())::float8 as seconds from revocations where subject_id = ${person.id}`
  t.ok(seconds > 7200, `remembered for ${seconds} s`)
})

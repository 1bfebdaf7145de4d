import t from 'tap'
import { readPemKey } from '../../../src/keys/pem-keys.ts'
import { createTestApp } from '../../helpers/app.ts'
import { connect, createTestDatabase } from '../../helpers/database.ts'
import { jwksOf, kidOf, listKeys, publishedKids, rotateKeys, rotateWhenDue, signUpAdmin, verifyElsewhere } from '../../helpers/keys.ts'
import { readMe, signIn, signUp } from '../../helpers/people.ts'
import { privatePem, p256 } from '../../helpers/pem.ts'
import { until } from '../../helpers/until.ts'

const issuer = 'https://issuer.test'

t.test('rotation on demand', async t => {
  const location = await createTestDatabase(t)
  const jwt = { issuer, keyActivationSeconds: 1 }
  const [one, two] = [await createTestApp(t, { jwt }, location), await createTestApp(t, { jwt }, location)]
  const sql = connect(location)
  t.teardown(async () => { await sql.end() })
  const admin = await signUpAdmin(one)
  const first = kidOf(admin.accessToken)
  const { etag } = (await two.request({ method: 'GET', url: '/.well-known/jwks.json' })).headers

  const response = await rotateKeys(one, admin)
  t.equal(response.statusCode, 201)
  const { kid, activatesAt } = response.json()
  t.match(response.json(), { algorithm: 'ES256', state: 'pending', source: 'database', retiresAt: null, expiresAt: null, revokedAt: null })
  t.same(await publishedKids(one), [first, kid], 'published before its first use')
  await until('the other instance publishes it', async () => (await publishedKids(two)).includes(kid))
  const changed = await two.request({ method: 'GET', url: '/.well-known/jwks.json', headers: { 'if-none-match': String(etag) } })
  t.equal(changed.statusCode, 200, 'the validator changed with the set')

  for (const api of [two, one]) {
    await until('the new key signs', async () => kidOf((await signIn(api, admin.email)).accessToken) === kid)
    t.ok(Date.now() >= Date.parse(activatesAt) - 50, 'not before its time')
  }
  const later = await signUp(two)
  for (const api of [one, two]) {
    t.equal((await readMe(api, admin.accessToken)).statusCode, 200, 'tokens of the old key go on')
    t.equal((await readMe(api, later.accessToken)).statusCode, 200)
  }
  t.equal((await verifyElsewhere(one, admin.accessToken, 'ES256')).sub, admin.id)
  t.match(await listKeys(one, admin), [{ kid, state: 'active', retiresAt: null }, { kid: first, state: 'retiring', retiresAt: activatesAt, expiresAt: /Z$/ }])
  const [event] = await sql`select type, outcome, actor_id, session_id, details from audit_events where type = 'authz_admin'`
  t.match(event, { outcome: 'success', actor_id: admin.id, session_id: admin.sessionId, details: { action: 'key_rotated', kid } })

  t.test('an old key ends once its last token has expired', async t => {
    await sql`update signing_keys set retired_at = now() - make_interval(secs => token_ttl_seconds + 59) where kid = ${first}`
    const other = await signUpAdmin(one)
    t.match(await listKeys(one, other), [{ kid }, { kid: first, state: 'retiring' }])
    t.ok((await publishedKids(one)).includes(first))
    await sql`update signing_keys set retired_at = now() - make_interval(secs => token_ttl_seconds + 61) where kid = ${first}`
    for (const api of [one, two]) {
      await until('it is dropped', async () => !(await publishedKids(api)).includes(first))
      t.match((await readMe(api, admin.accessToken)).json(), { status: 401, code: 'TOKEN_INVALID' })
      t.equal((await readMe(api, later.accessToken)).statusCode, 200)
    }
    const privateParts = async () => (await sql`select kid from signing_keys where private_key is not null`).map(row => row.kid)
    t.same((await privateParts()).sort(), [first, kid].sort())
    await rotateWhenDue(t, location, 90)()
    t.same(await privateParts(), [kid], 'its private part is wiped')
    t.match(await listKeys(two, other), [{ kid, state: 'active' }, { kid: first, state: 'retired' }])
  })
})

t.test('ten rotations at once all work, and one key signs', async t => {
  const location = await createTestDatabase(t)
  const jwt = { issuer, keyActivationSeconds: 0 }
  const apps = [await createTestApp(t, { jwt }, location), await createTestApp(t, { jwt }, location)] as const
  const admin = await signUpAdmin(apps[0])
  const responses = await Promise.all(Array.from({ length: 10 }, async (_, n) => await rotateKeys(apps[n % 2 === 0 ? 0 : 1], admin)))
  t.same(responses.map(({ statusCode }) => statusCode), Array.from({ length: 10 }, () => 201))
  const keys = await listKeys(apps[0], admin)
  t.equal(keys.length, 11)
  t.equal(new Set(keys.map(({ kid }) => kid)).size, 11)
  t.same(keys.map(({ state }) => state), ['active', ...Array.from({ length: 10 }, () => 'retiring')])
  const [active] = keys
  for (const api of apps) await until('both sign with it', async () => kidOf((await signUp(api)).accessToken) === active?.kid)
  for (const api of apps) t.equal((await readMe(api, admin.accessToken)).statusCode, 200)
})

t.test('a pending key is replaced by one that signs before it', async t => {
  const location = await createTestDatabase(t)
  const slow = await createTestApp(t, { jwt: { issuer, keyActivationSeconds: 3600 } }, location)
  const quick = await createTestApp(t, { jwt: { issuer, keyActivationSeconds: 0 } }, location)
  const admin = await signUpAdmin(slow)
  const pending = (await rotateKeys(slow, admin)).json()
  const now = (await rotateKeys(quick, admin)).json()
  t.match(now, { state: 'active' })
  t.match(await listKeys(slow, admin), [{ kid: pending.kid, state: 'retiring' }, { kid: now.kid, state: 'active', retiresAt: null }, { state: 'retiring' }])
  for (const api of [slow, quick]) await until('it signs', async () => kidOf((await signUp(api)).accessToken) === now.kid)
})

t.test('rotation when due', async t => {
  const location = await createTestDatabase(t)
  const apps = [await createTestApp(t, {}, location), await createTestApp(t, {}, location)] as const
  const sql = connect(location)
  t.teardown(async () => { await sql.end() })
  const admin = await signUpAdmin(apps[0])
  const [first = ''] = await publishedKids(apps[0])
  const jobs = Array.from({ length: 4 }, () => rotateWhenDue(t, location, 30))
  const runAll = async () => { await Promise.all(jobs.map(async job => { await job() })) }
  const age = async (interval: string) => { await sql`update signing_keys set created_at = now() - ${interval}::interval, activates_at = now() - ${interval}::interval where kid = ${first}` }

  await age('29 days 23 hours')
  await runAll()
  t.equal((await listKeys(apps[0], admin)).length, 1, 'not before its time')

  await age('30 days 1 second')
  await runAll()
  const keys = await listKeys(apps[0], admin)
  t.equal(keys.length, 2, 'instances that do it at once make one key')
  const [next] = keys
  t.match(keys, [{ state: 'pending' }, { kid: first, state: 'active', retiresAt: next?.activatesAt }])
  const leadMs = Date.parse(next?.activatesAt ?? '') - Date.parse(next?.createdAt ?? '')
  t.equal(leadMs, 600_000, 'published ten minutes before its first use')
  for (const api of apps) await until('both publish it', async () => (await publishedKids(api)).includes(next?.kid ?? ''))
  t.equal(kidOf((await signUp(apps[1])).accessToken), first, 'and sign with the old one until then')
  const events = await sql`select actor_id, details from audit_events where type = 'authz_admin'`
  t.match([...events], [{ actor_id: null, details: { action: 'key_rotated', kid: next?.kid, reason: 'due' } }])

  await runAll()
  t.equal((await listKeys(apps[0], admin)).length, 2, 'one that is to come is no reason for another')
  await sql`update signing_keys set activates_at = now(), created_at = now() - interval '10 minutes' where kid = ${next?.kid ?? ''}`
  await sql`update signing_keys set retired_at = now() where kid = ${first}`
  for (const api of apps) await until('its time has come', async () => kidOf((await signUp(api)).accessToken) === next?.kid)
  for (const api of apps) t.equal((await readMe(api, admin.accessToken)).statusCode, 200)
})

t.test('a rotation after 0 days is none', async t => {
  const api = await createTestApp(t)
  const sql = connect(api.database)
  await signUp(api)
  await sql`update signing_keys set created_at = '2000-01-01', activates_at = '2000-01-01'`
  await sql.end()
  await rotateWhenDue(t, api.database, 0)()
  t.equal((await publishedKids(api)).length, 1)
})

t.test('the job retires stored keys where keys come from files', async t => {
  const location = await createTestDatabase(t)
  const before = await createTestApp(t, { jwt: { issuer } }, location)
  const stored = await signUp(before)
  // One that goes on without files makes itself a key to sign with as soon as its own is retired.
  await before.app.close()
  const pem = privatePem(p256())
  const api = await createTestApp(t, { jwt: { issuer, keys: [pem] } }, location)
  const admin = await signUpAdmin(api)
  t.match(await listKeys(api, admin), [{ source: 'file', state: 'active' }, { source: 'database', state: 'retiring', retiresAt: null }])
  await rotateWhenDue(t, location, 90, [readPemKey(pem)])()
  const [, old] = await listKeys(api, admin)
  t.match(old, { kid: kidOf(stored.accessToken), state: 'retiring', retiresAt: /Z$/, expiresAt: /Z$/ })
  t.equal((await readMe(api, stored.accessToken)).statusCode, 200, 'its tokens go on')
  t.equal((await jwksOf(api)).keys.length, 2)
})

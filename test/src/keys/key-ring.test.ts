import t from 'tap'
import { createAudit } from '../../../src/audit/audit.ts'
import { createRotateKeys } from '../../../src/keys/rotate-keys.ts'
import { createSecrets } from '../../../src/keys/secrets.ts'
import { createSharedReading } from '../../../src/keys/shared-reading.ts'
import { connect, createTestDatabase } from '../../helpers/database.ts'
import { kidOf, openKeyRing, openStores, subjectNow, testPolicy } from '../../helpers/keys.ts'
import { createDatabaseProxy } from '../../helpers/proxy.ts'
import { until } from '../../helpers/until.ts'

t.test('instances that cannot open each other\'s keys both sign, and do not make keys without end', async t => {
  const location = await createTestDatabase(t)
  const database = openStores(t, location)
  const one = openKeyRing(database)
  const first = await one.ring.sign(subjectNow())
  const two = openKeyRing(database, { secrets: createSecrets(['quite-another-secret-that-is-long-enough-too']) })
  const second = await two.ring.sign(subjectNow())
  t.not(kidOf(first), kidOf(second))
  t.same(two.complaints, ['locked'])
  for (let n = 0; n < 3; n++) {
    for (const { ring } of [one, two]) {
      await ring.reload()
      for (const token of [first, second, await ring.sign(subjectNow())]) t.ok(await ring.verify(token))
    }
  }
  t.equal((await database.signingKeys.list()).keys.length, 2)
})

t.test('a rolling change of AUTH_SECRET seals each key once for each start', async t => {
  const database = openStores(t, await createTestDatabase(t))
  const [old, recent] = ['the-old-secret-of-the-rolling-change-1', 'the-new-secret-of-the-rolling-change-2']
  const before = openKeyRing(database, { secrets: createSecrets([old, recent]) })
  const token = await before.ring.sign(subjectNow())
  const after = openKeyRing(database, { secrets: createSecrets([recent, old]) })
  await after.ring.load()
  const sealed = async () => (await database.signingKeys.find(kidOf(token)))?.privateKey
  const settled = await sealed()
  for (let n = 0; n < 3; n++) {
    for (const { ring } of [before, after]) await ring.reload()
    t.equal(await sealed(), settled, 'the one that still makes with the old secret does not seal it back')
  }
  const rolled = openKeyRing(database, { secrets: createSecrets([recent]) })
  t.ok(await rolled.ring.verify(await rolled.ring.sign(subjectNow())))
  t.same(rolled.complaints, [])
})

t.test('a key that is closed to all signs no more once another one was asked for', async t => {
  const database = openStores(t, await createTestDatabase(t))
  await openKeyRing(database).ring.load()
  const secrets = createSecrets(['quite-another-secret-that-is-long-enough-too'])
  const { ring } = openKeyRing(database, { secrets })
  await ring.load()
  const unretired = async () => (await database.signingKeys.list()).keys.filter(({ retiredAt }) => retiredAt === null).length
  t.equal(await unretired(), 2)
  const audit = createAudit(database, () => {})
  const { kid } = await createRotateKeys({ audit, policy: { ...testPolicy, secrets, activationSeconds: 0 }, pemKeys: [], onKeysChanged: ring.reload })(undefined, { requestId: null, ipAddress: null, userAgent: null })
  t.equal(await unretired(), 1)
  t.equal((await database.signingKeys.find(kid))?.retiredAt, null)
})

t.test('twelve instances that start at once agree on one key', async t => {
  const database = openStores(t, await createTestDatabase(t))
  const rings = Array.from({ length: 12 }, () => openKeyRing(database).ring)
  const kids = await Promise.all(rings.map(async ring => await ring.signingKid()))
  t.equal(new Set(kids).size, 1)
  t.equal((await database.signingKeys.list()).keys.length, 1)
})

t.test('an instance that waited for the lock keeps the time', async t => {
  const location = await createTestDatabase(t)
  const database = openStores(t, location)
  const sql = connect(location)
  t.teardown(async () => { await sql.end() })
  let load = Promise.resolve()
  const { ring } = openKeyRing(database)
  await database.transaction(async stores => {
    await stores.signingKeys.lock()
    load = ring.load()
    await until('it waits', async () => (await sql`select 1 from pg_locks where locktype = 'advisory' and not granted`).length === 1)
    // Longer than a start takes, so that the time at which the transaction began would tell.
    await sql`select pg_sleep(0.3)`
  })
  await load
  const [key] = (await database.signingKeys.list()).keys
  const [{ since } = { since: 0 }] = await sql<{ since: number }[]>`select extract(epoch from clock_timestamp() - activates_at)::float8 as since from signing_keys`
  t.ok(since < 0.3, `activated ${since} s ago`)
  t.ok(key?.retiredAt === null)
})

t.test('while the keys cannot be read', async t => {
  const location = await createTestDatabase(t)
  const proxy = await createDatabaseProxy(t, location)
  const other = openKeyRing(openStores(t, location))
  const known = await other.ring.sign(subjectNow())
  const { ring, complaints } = openKeyRing(openStores(t, proxy.location), { reloadIntervalMs: 60_000 })
  await ring.load()
  await proxy.cut()
  const sql = connect(location)
  t.teardown(async () => { await sql.end() })
  await sql`delete from signing_keys`
  const unknown = await openKeyRing(openStores(t, location)).ring.sign(subjectNow())

  for (let n = 0; n < 3; n++) await t.rejects(ring.verify(unknown), { code: 'SERVICE_UNAVAILABLE' }, 'a key that may be ours is 503 and never 401')
  t.ok(await ring.verify(known), 'those known go on')
  t.equal((await ring.published()).jwks.keys.length, 1)
  await ring.reload()
  t.same(complaints, ['reload failed'])
  await proxy.restore()
  await ring.reload()
  t.ok(await ring.verify(unknown))
  await t.rejects(ring.verify(known), { code: 'TOKEN_INVALID' })
})

t.test('what it missed because of an outage it reads when the keys are next used', async t => {
  const location = await createTestDatabase(t)
  const proxy = await createDatabaseProxy(t, location)
  const { ring, complaints } = openKeyRing(openStores(t, proxy.location), { reloadIntervalMs: 0 })
  const token = await ring.sign(subjectNow())
  await proxy.cut()
  await openStores(t, location).signingKeys.revoke(kidOf(token))
  await ring.reload()
  t.same(complaints, ['reload failed'])
  await proxy.restore()
  await until('the revoked key is refused', async () => await ring.verify(token).then(() => false, error => error.code === 'TOKEN_INVALID'))
})

t.test('keys that cannot be read again are used for a bounded time', async t => {
  const location = await createTestDatabase(t)
  const proxy = await createDatabaseProxy(t, location)
  const { ring } = openKeyRing(openStores(t, proxy.location), { reloadIntervalMs: 0, maxStalenessSeconds: 0.2 })
  const token = await ring.sign(subjectNow())
  await proxy.cut()
  await ring.reload()
  t.ok(await ring.verify(token))
  await until('the bound is reached', async () => await ring.verify(token).then(() => false, error => error.code === 'SERVICE_UNAVAILABLE'))
  await t.rejects(ring.sign(subjectNow()), { code: 'SERVICE_UNAVAILABLE' })
  await proxy.restore()
  t.ok(await ring.verify(token), 'and again once they can')
})

t.test('a longer life of tokens is noted for every key that still signs', async t => {
  const location = await createTestDatabase(t)
  const database = openStores(t, location)
  const { ring } = openKeyRing(database)
  await ring.load()
  const sql = connect(location)
  t.teardown(async () => { await sql.end() })
  await sql`update signing_keys set retired_at = now() + interval '1 hour'`
  const longer = openKeyRing(database, { accessTtlSeconds: 3600 }).ring
  await longer.load()
  t.same((await database.signingKeys.list()).keys.map(({ tokenTtlSeconds }) => tokenTtlSeconds), [3600, 3600], 'the one that is about to retire, and its successor')
})

t.test('a reading that is asked for begins after the asking', async t => {
  let value = 0
  const gates: (() => void)[] = []
  const reading = createSharedReading(async () => {
    const seen = value
    await new Promise<void>(resolve => { gates.push(resolve) })
    return seen
  })
  const first = reading.join()
  value = 1
  const [joined, again, same] = [reading.join(), reading.again(), reading.again()]
  gates.shift()?.()
  t.equal(await first, 0)
  t.equal(await joined, 0)
  await until('the next one has begun', () => gates.length === 1)
  gates.shift()?.()
  t.same([await again, await same], [1, 1])
  t.equal(gates.length, 0, 'one for both')
})

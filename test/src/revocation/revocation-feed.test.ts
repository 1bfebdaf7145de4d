import Fastify from 'fastify'
import t, { type Test } from 'tap'
import { dbPlugin, type DbOptions } from '../../../plugins/db.ts'
import { migrateUp } from '../../../src/db/migrations.ts'
import { createSinglePool } from '../../../src/db/pool.ts'
import { createDatabaseClock } from '../../../src/keys/database-clock.ts'
import { startRevocationFeed, type RevocationFeed, type RevocationFeedOptions } from '../../../src/revocation/revocation-feed.ts'
import { connect, createTestDatabase, urlOf } from '../../helpers/database.ts'
import { createLogCapture, type LogCapture } from '../../helpers/log-capture.ts'
import { createDatabaseProxy } from '../../helpers/proxy.ts'
import { until } from '../../helpers/until.ts'

const warnings: Error[] = []
process.on('warning', warning => { warnings.push(warning) })

interface Started { feed: RevocationFeed, log: LogCapture, keysChanged(): number }

async function start (t: Test, database: DbOptions, options: Partial<RevocationFeedOptions> = {}): Promise<Started> {
  const app = Fastify()
  await app.register(dbPlugin, { poolMax: 2, connectTimeoutSeconds: 1, statementTimeoutMs: 1000, ...database })
  const log = createLogCapture()
  let changes = 0
  const { revocations, listen } = app.authServeDb
  const feed = startRevocationFeed({
    store: revocations,
    listen,
    clock: createDatabaseClock(),
    maxStalenessSeconds: 900,
    maxEntries: 1000,
    heartbeatMs: 100,
    rereadMs: 100,
    onKeysChanged: () => { changes++ },
    log: log.logger,
    ...options
  })
  t.teardown(async () => { await feed.close(); await app.close() })
  return { feed, log, keysChanged: () => changes }
}

async function createDatabase (t: Test, options = {}) {
  const location = await createTestDatabase(t, options)
  const sql = connect(location)
  t.teardown(async () => { await sql.end() })
  return { location, sql }
}

const warned = (log: LogCapture): string[] => log.lines().filter(({ level }) => level === 'warn').map(({ msg }) => String(msg))
const id = (n: number): string => `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`
const subject = (n: number) => ({ sid: id(n), sub: id(0), ver: 1 })

/** Rows that nobody is told of, numbered from `from` on. */
async function addSilently (sql: ReturnType<typeof connect>, from: number, count: number, life = '1 hour'): Promise<void> {
  await sql`insert into revocations (subject_id, kind, expires_at)
    select ('00000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'session', now() + ${life}::interval from generate_series(${from}::int, ${from + count - 1}::int) n`
}

t.test('what nobody was told of comes with the next reading, however many pages it has', async t => {
  const { location, sql } = await createDatabase(t)
  const { feed, keysChanged } = await start(t, location, { maxEntries: 20_000 })
  t.throws(() => feed.judge(subject(1)), { code: 'SERVICE_UNAVAILABLE' }, 'nothing is judged before the first')
  t.throws(() => feed.check(), { code: 'SERVICE_UNAVAILABLE' })
  t.match(feed.state(), { loaded: false, stalenessSeconds: null })
  await feed.loaded(10_000)
  t.equal(feed.judge(subject(1)), 'live')
  await addSilently(sql, 1, 12_000)
  await until('it is read', () => feed.judge(subject(12_000)) === 'ended')
  t.match(feed.check(), { loaded: true, entries: 12_000, full: false, connections: 1 })
  for (const n of [1, 4999, 5000, 5001, 10_000, 10_001]) t.equal(feed.judge(subject(n)), 'ended', `${n}`)
  t.ok(keysChanged() > 0, 'keys are looked at with each reading')
})

t.test('after more than it may hold it knows everything again, beyond the first page, before it says so', async t => {
  const { location, sql } = await createDatabase(t)
  const { feed } = await start(t, location, { maxEntries: 6000 })
  await feed.loaded(10_000)
  await addSilently(sql, 1, 7000, '1 second')
  await until('it is full', () => feed.state().full)
  t.equal(feed.state().entries, 6000)
  t.equal(feed.judge(subject(9999)), 'unknown')
  await addSilently(sql, 10_000, 5500)
  await until('there is room again', () => !feed.state().full)
  t.equal(feed.state().entries, 5500)
  for (const n of [10_000, 14_999, 15_000, 15_499]) t.equal(feed.judge(subject(n)), 'ended', `${n}`)
})

t.test('it forgets what is about expired tokens', async t => {
  const { location, sql } = await createDatabase(t)
  const { feed } = await start(t, location)
  await addSilently(sql, 1, 3, '300 milliseconds')
  await addSilently(sql, 10, 2)
  await until('all are read', () => feed.state().entries === 5)
  await until('some are forgotten', () => feed.state().entries === 2)
  t.equal(feed.judge(subject(10)), 'ended')
})

t.test('a listener that hears nothing is told from one that was lost, and replaced', async t => {
  const { location, sql } = await createDatabase(t)
  const proxy = await createDatabaseProxy(t, location)
  const { feed, log } = await start(t, { ...location, listenUrl: urlOf(proxy.location) })
  await feed.loaded(10_000)
  proxy.freeze()
  await until('it is found', () => warned(log).some(line => /hears nothing.*DATABASE_LISTEN_URL/.test(line)))
  await addSilently(sql, 1, 1)
  t.equal(feed.judge(subject(1)), 'live', 'it does not know')
  await proxy.restore()
  await until('it learns', () => feed.judge(subject(1)) === 'ended')
  t.equal(feed.state().connections, 2)

  await proxy.cut()
  await until('it is found', () => warned(log).some(line => /interrupted/.test(line)))
  await proxy.restore()
  await until('it listens again', () => feed.state().connections === 3)
  await until('it says so', () => log.lines().filter(({ msg }) => msg === 'the revocation feed is complete again').length === 2)
})

t.test('a long outage is told once', async t => {
  const { location } = await createDatabase(t)
  const proxy = await createDatabaseProxy(t, location)
  const { feed, log } = await start(t, { ...location, listenUrl: urlOf(proxy.location) })
  await feed.loaded(10_000)
  await proxy.cut()
  await until('it tried some times', () => log.lines().filter(({ msg }) => /interrupted/.test(String(msg))).length >= 4)
  t.equal(warned(log).length, 1)
})

t.test('the listener goes on hearing while the rest of the database does not answer', async t => {
  const { location, sql } = await createDatabase(t)
  const proxy = await createDatabaseProxy(t, location)
  const { feed } = await start(t, { url: urlOf(proxy.location), listenUrl: urlOf((await createDatabaseProxy(t, location)).location) })
  await feed.loaded(10_000)
  await proxy.cut()
  await sql`select pg_notify('auth_serve', ${`s ${id(7)} 99999999999`})`
  await until('it is heard', () => feed.judge(subject(7)) === 'ended')
  await sql`select pg_notify('auth_serve', 'something of a later release'), pg_notify('auth_serve', 'h ')`
  await addSilently(sql, 8, 1)
  await proxy.restore()
  await until('it reads again', () => feed.judge(subject(8)) === 'ended')
  t.equal(feed.state().connections, 1, 'by the same connection')
})

t.test('a staleness that is shorter than a heartbeat is kept, too', async t => {
  const { location } = await createDatabase(t)
  const { feed } = await start(t, location, { maxStalenessSeconds: 1, heartbeatMs: 5000, rereadMs: 30_000 })
  await feed.loaded(10_000)
  const began = performance.now()
  await until('two seconds have passed', () => {
    feed.check()
    return performance.now() - began > 2000
  })
  t.equal(feed.judge(subject(1)), 'live')
})

t.test('a schema that is missing is waited for', async t => {
  const { location } = await createDatabase(t, { empty: true })
  const { feed, log } = await start(t, { ...location, migrate: false }, { heartbeatMs: 5000 })
  await until('it tried many times', () => log.lines().filter(({ msg }) => /could not be read/.test(String(msg))).length > 15)
  t.equal(warned(log).length, 1)
  const pool = createSinglePool(location)
  await migrateUp(pool)
  await pool.close()
  await feed.loaded(10_000)
  t.equal(feed.judge(subject(1)), 'live')
})

t.test('it stops at once, whatever does not answer', async t => {
  const { location } = await createDatabase(t)
  for (const [waiting, frozen] of [['for a heartbeat', 'pool'], ['for the connection', 'listener']] as const) {
    const pool = await createDatabaseProxy(t, location)
    const listener = await createDatabaseProxy(t, location)
    const { feed, log } = await start(t, { url: urlOf(pool.location), listenUrl: urlOf(listener.location), statementTimeoutMs: 0, connectTimeoutSeconds: 60 })
    await feed.loaded(10_000)
    const proxy = { pool, listener }[frozen]
    proxy.freeze()
    if (frozen === 'listener') await until('it connects again', () => warned(log).length > 0 && proxy.connections() > 1)
    else await until('the heartbeat is late', () => (feed.state().stalenessSeconds ?? 0) > 0.5)
    const began = performance.now()
    await feed.close()
    t.ok(performance.now() - began < 1000, `${waiting}: ${performance.now() - began} ms`)
    await proxy.cut()
  }
})

t.test('nothing is left over that Node.js would warn of', async t => {
  t.same(warnings, [])
})

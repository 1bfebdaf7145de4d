import Fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { dbPlugin } from '../../plugins/db.ts'
import { maintenancePlugin, type MaintenanceOptions } from '../../plugins/maintenance.ts'
import type { AuditEvent } from '../../src/audit/audit.ts'
import type { DatabaseLocation } from '../../src/db/client.ts'
import type { MaintenanceJob } from '../../src/maintenance/maintenance.ts'
import { createTestApp } from '../helpers/app.ts'
import { connect, createTestDatabase } from '../helpers/database.ts'
import { createLogCapture } from '../helpers/log-capture.ts'
import { signUp } from '../helpers/people.ts'
import { createDatabaseProxy } from '../helpers/proxy.ts'
import { until } from '../helpers/until.ts'

const never = 86_400_000

async function build (t: Test, location: DatabaseLocation, options: MaintenanceOptions = {}) {
  const log = createLogCapture()
  const app: FastifyInstance = Fastify({ loggerInstance: log.logger })
  t.teardown(async () => { await app.close() })
  await app.register(dbPlugin, { ...location, poolMax: 3, acquireTimeoutMs: 500, connectTimeoutSeconds: 1 })
  await app.register(maintenancePlugin, { intervalMs: never, ...options })
  await app.ready()
  return { app, maintenance: app.authServeMaintenance, log }
}

async function prepare (t: Test) {
  const location = await createTestDatabase(t)
  const sql = connect(location)
  t.teardown(async () => { await sql.end() })
  const [user] = await sql`insert into users (id, email, email_canonical) values (gen_random_uuid(), 'a@example.com', 'a@example.com') returning id`
  const userId = String(user?.id)
  const addSessions = async (count: number, endedAgo: string, more: { absolute?: boolean, revoked?: boolean } = {}) => await sql`
    insert into sessions (id, user_id, expires_at, idle_expires_at, access_until, refresh_hashes, revoked_at)
    select gen_random_uuid(), ${userId}, now() - ${endedAgo}::interval + case when ${more.absolute ?? false} then '0' else '1 day'::interval end,
      now() - ${endedAgo}::interval, now() - ${endedAgo}::interval, '{}', case when ${more.revoked ?? false} then now() - interval '3 days' end
    from generate_series(1, ${count}::int) returning id`
  const count = async (table: string): Promise<number> => Number((await sql`select count(*)::int as n from ${sql(table)}`)[0]?.n)
  return { location, sql, userId, addSessions, count }
}

t.test('sessions that are over for a day are removed, and the trail tells of those that nobody ended', async t => {
  const { location, sql, userId, addSessions, count } = await prepare(t)
  const [idle] = await addSessions(1, '25 hours')
  const [absolute] = await addSessions(1, '25 hours', { absolute: true })
  await addSessions(1, '25 hours', { revoked: true })
  const kept = [...await addSessions(1, '23 hours'), ...await addSessions(1, '-1 hour')]
  const told: AuditEvent[] = []
  const { maintenance } = await build(t, location, { onEvent: event => { told.push(event) } })
  await maintenance.run()
  t.same((await sql`select id from sessions`).map(row => row.id).sort(), kept.map(row => row.id).sort())
  const events = await sql`select outcome, actor_id, target_id, session_id, request_id, details->>'reason' as reason from audit_events where type = 'session_expired' order by details->>'reason'`
  const expected = { outcome: 'success', actor_id: null, target_id: userId, request_id: null }
  t.same([...events], [{ ...expected, session_id: absolute?.id, reason: 'absolute' }, { ...expected, session_id: idle?.id, reason: 'idle' }])
  t.same(told.map(({ sessionId }) => sessionId).sort(), [idle?.id, absolute?.id].sort())
  t.equal(await count('revocations'), 0, 'tokens that expired long ago need none')
  await maintenance.run()
  t.equal(told.length, 2)
})

t.test('revocations and login counters that are about nothing any more are removed', async t => {
  const { location, sql } = await prepare(t)
  await sql`insert into revocations (subject_id, kind, expires_at) select gen_random_uuid(), 'session', now() + n * interval '1 minute' from unnest(array[-2, -1, 1]) n`
  await sql`insert into login_attempts (key, failures, expires_at) select decode(lpad(n::text, 64, '0'), 'hex'), 1, now() + n * interval '1 minute' from unnest(array[2, 1]) n`
  await sql`insert into login_attempts (key, failures, expires_at) values ('\\x00', 1, now() - interval '1 minute'), ('\\x01', 100, 'infinity')`
  const { maintenance } = await build(t, location)
  await maintenance.run()
  t.equal((await sql`select 1 from revocations where expires_at > now()`).length, 1)
  t.equal((await sql`select 1 from revocations`).length, 1)
  t.same((await sql`select failures from login_attempts order by failures`).map(row => row.failures), [1, 1, 100], 'and not the lock that no time opens')
})

t.test('a revocation or counter that comes to life again at the same moment stays', async t => {
  const { location, sql } = await prepare(t)
  await sql`insert into revocations (subject_id, kind, authz_version, expires_at) select gen_random_uuid(), 'user', 2, now() - interval '1 minute'`
  await sql`insert into login_attempts (key, failures, expires_at) values ('\\x00', 1, now() - interval '1 minute')`
  const { maintenance } = await build(t, location)
  const other = await sql.reserve()
  await other`begin`
  await other`update revocations set expires_at = now() + interval '1 hour'`
  await other`update login_attempts set expires_at = now() + interval '1 hour'`
  await maintenance.run()
  await other`commit`
  other.release()
  await maintenance.run()
  t.equal((await sql`select 1 from revocations`).length, 1)
  t.equal((await sql`select 1 from login_attempts`).length, 1)
})

t.test('it works in batches, each in a transaction of its own, so many in one round', async t => {
  const { location, sql, addSessions, count } = await prepare(t)
  await addSessions(25, '2 days')
  const { maintenance } = await build(t, location, { batchSize: 4, maxBatches: 3 })
  const left: number[] = []
  for (let round = 0; round < 3; round++) {
    await maintenance.run()
    left.push(await count('sessions'))
  }
  t.same(left, [13, 1, 0])
  const [row] = await sql`select count(distinct occurred_at)::int as batches, count(*)::int as n from audit_events where type = 'session_expired'`
  t.equal(row?.n, 25)
  t.ok(row?.batches > 1)
})

t.test('a session that somebody holds is left for the next round', async t => {
  const { location, sql, addSessions, count } = await prepare(t)
  const [held] = await addSessions(1, '2 days')
  await addSessions(2, '2 days')
  const { maintenance } = await build(t, location)
  const holder = await sql.reserve()
  await holder`begin`
  await holder`select 1 from sessions where id = ${held?.id} for update`
  await maintenance.run()
  t.equal(await count('sessions'), 1)
  await holder`commit`
  holder.release()
  await maintenance.run()
  t.equal(await count('sessions'), 0)
})

t.test('while another has the lock nothing is done, and nothing is wrong', async t => {
  const { location, sql, addSessions, count } = await prepare(t)
  await addSessions(1, '2 days')
  const { maintenance, log } = await build(t, location)
  const other = await sql.reserve()
  await other`begin`
  await other`select pg_advisory_xact_lock(${0x61757468_6d61}::bigint)`
  await maintenance.run()
  t.equal(await count('sessions'), 1)
  await other`commit`
  other.release()
  await maintenance.run()
  t.equal(await count('sessions'), 0)
  t.notOk(log.text().includes('maintenance job'))
})

t.test('of two instances one at a time is at work, by themselves, and both get their turn', async t => {
  const { location } = await prepare(t)
  let atWork = 0
  let most = 0
  const batches = new Map<string, number>()
  const jobOf = (name: string): MaintenanceJob => ({
    name: 'count-who-is-at-work',
    async run (stores) {
      most = Math.max(most, ++atWork)
      // Something that takes as long as the database does.
      for (let n = 0; n < 5; n++) await stores.users.hasActiveAdmin()
      atWork--
      batches.set(name, (batches.get(name) ?? 0) + 1)
      return true
    }
  })
  for (const name of ['first', 'second']) (await build(t, location, { intervalMs: 10, maxBatches: 5 })).maintenance.add(jobOf(name))
  await until('both worked', () => Math.min(batches.get('first') ?? 0, batches.get('second') ?? 0) >= 20)
  t.equal(most, 1)
})

t.test('one that is asked twice at once does one round; a closed one finishes its batch and begins no other', async t => {
  const { location } = await prepare(t)
  const { app, maintenance } = await build(t, location)
  let begun = 0
  let ended = 0
  let goOn = () => {}
  const held = new Promise<void>(resolve => { goOn = resolve })
  maintenance.add({
    name: 'wait',
    async run () {
      begun++
      await held
      ended++
      return true
    }
  })
  const rounds = [maintenance.run(), maintenance.run()]
  await until('it is at work', () => begun === 1)
  const closed = app.close()
  goOn()
  await Promise.all([closed, ...rounds])
  t.same([begun, ended], [1, 1])
})

t.test('a job that fails changes nothing, is told once, and keeps no other from its work', async t => {
  const { location, sql, addSessions, count } = await prepare(t)
  const { maintenance, log } = await build(t, location)
  let wrong = true
  maintenance.add({
    name: 'go-wrong',
    async run (stores, record) {
      await stores.revocations.purge(1)
      record({ type: 'session_expired', outcome: 'success' })
      if (wrong) throw new Error('on purpose')
      return false
    }
  })
  let after = 0
  maintenance.add({ name: 'after', run: async () => { after++; return false } })
  const linesOf = (message: RegExp, level: string) => log.lines().filter(line => message.test(String(line.msg)) && line.job === 'go-wrong' && line.level === level).length
  for (let round = 0; round < 3; round++) await maintenance.run()
  t.equal(after, 3)
  t.equal(linesOf(/failed/, 'warn'), 1)
  t.equal(await count('audit_events'), 0)
  wrong = false
  await maintenance.run()
  await maintenance.run()
  t.equal(linesOf(/works again/, 'info'), 1)
  t.equal((await sql`select 1 from audit_events`).length, 2)
  await addSessions(1, '2 days')
  await maintenance.run()
  t.equal(await count('sessions'), 0)
})

t.test('an outage is told once, and the work is done after it', async t => {
  const { location, addSessions, count } = await prepare(t)
  const proxy = await createDatabaseProxy(t, location)
  const { maintenance, log } = await build(t, proxy.location)
  await addSessions(3, '2 days')
  await proxy.cut()
  for (let round = 0; round < 3; round++) await maintenance.run()
  t.equal(log.lines().filter(line => /maintenance job failed/.test(String(line.msg)) && line.level === 'warn').length, 1)
  await proxy.restore()
  await maintenance.run()
  t.equal(await count('sessions'), 0)
})

t.test('the service does it by itself and logs what it removed', async t => {
  const api = await createTestApp(t, { maintenance: { intervalMs: 20 } })
  const sql = connect(api.database)
  t.teardown(async () => { await sql.end() })
  const { sessionId } = await signUp(api)
  await sql`update sessions set idle_expires_at = now() - interval '2 days', access_until = now() - interval '2 days' where id = ${sessionId}`
  await until('the session is gone', async () => (await sql`select 1 from sessions where id = ${sessionId}`).length === 0)
  await until('the log says so', () => api.log.lines().some(line => line.event === 'session_expired' && line.sessionId === sessionId))
})

t.test('options are checked at the start', async t => {
  const app = Fastify()
  t.teardown(async () => { await app.close() })
  await app.register(dbPlugin, await createTestDatabase(t))
  await t.rejects(async () => { await app.register(maintenancePlugin, { intervalMs: 1, batchSize: 0 }) }, { message: /\/intervalMs.*\/batchSize/s })
})

t.test('a key that has signed for long enough is followed by a new one', async t => {
  const api = await createTestApp(t, { jwt: { issuer: 'https://issuer.test', keyRotationDays: 1 }, maintenance: { intervalMs: 20 } })
  const sql = connect(api.database)
  t.teardown(async () => { await sql.end() })
  await signUp(api)
  await sql`update signing_keys set activates_at = now() - interval '25 hours'`
  await until('there is a successor, published ahead of its use', async () => {
    const keys = await sql`select retired_at > now() + interval '9 minutes' as ahead from signing_keys order by activates_at`
    return keys.length === 2 && keys[0]?.ahead === true && keys[1]?.ahead === null
  })
  const events = await sql`select details from audit_events where type = 'authz_admin'`
  t.match([...events], [{ details: { action: 'key_rotated', reason: 'due' } }])
})

import Fastify from 'fastify'
import t from 'tap'
import { dbPlugin } from '../../plugins/db.ts'
import { CodedError } from '../../src/errors.ts'
import { createTestApp } from '../helpers/app.ts'
import { connect, createTestDatabase } from '../helpers/database.ts'
import { createLogCapture } from '../helpers/log-capture.ts'
import { goodPassword, newEmail, post, signUp } from '../helpers/people.ts'
import { createDatabaseProxy } from '../helpers/proxy.ts'
import { until } from '../helpers/until.ts'

const isReady = async (api: Awaited<ReturnType<typeof createTestApp>>) => (await api.request({ method: 'GET', url: '/readiness' })).statusCode === 200

t.test('a database that is down at start: live, not ready, and serving once it is up', async t => {
  const location = await createTestDatabase(t, { empty: true })
  const proxy = await createDatabaseProxy(t, location)
  await proxy.cut()
  const api = await createTestApp(t, { database: { retryMs: 50 } }, proxy.location)
  t.equal((await api.request({ method: 'GET', url: '/health' })).statusCode, 200)
  const readiness = await api.request({ method: 'GET', url: '/readiness' })
  t.equal(readiness.statusCode, 503)
  t.match(readiness.json(), { code: 'SERVICE_UNAVAILABLE', dependencies: { database: { status: 'down' }, schema: { status: 'down' }, signingKeys: { status: 'down' } } })
  t.equal((await post(api, '/auth/login', { email: newEmail(), password: goodPassword })).json().code, 'SERVICE_UNAVAILABLE')
  await proxy.restore()
  await until('ready', async () => await isReady(api))
  await signUp(api)
})

t.test('an outage is 503 and never 401, and ends by itself', async t => {
  const proxy = await createDatabaseProxy(t, await createTestDatabase(t))
  const api = await createTestApp(t, {}, proxy.location)
  const person = await signUp(api)
  await proxy.cut()
  for (const request of [
    { method: 'GET', url: '/api/v1/users/me', headers: person.authorization },
    { method: 'PATCH', url: '/api/v1/users/me', headers: person.authorization, payload: { firstName: 'A' } },
    { method: 'POST', url: '/api/v1/auth/login', payload: { email: person.email, password: goodPassword } },
    { method: 'POST', url: '/api/v1/auth/login', payload: { email: person.email, password: 'not the password' } },
    { method: 'POST', url: '/api/v1/auth/register', payload: { email: newEmail(), password: goodPassword } }
  ] as const) {
    const response = await api.request(request)
    t.equal(response.statusCode, 503, `${request.method} ${request.url}`)
    t.equal(response.json().code, 'SERVICE_UNAVAILABLE')
  }
  t.equal(await isReady(api), false)
  await proxy.restore()
  await until('ready', async () => await isReady(api))
  t.equal((await api.request({ method: 'GET', url: '/api/v1/users/me', headers: person.authorization })).statusCode, 200)
})

t.test('a connection cut in the middle of a registration is 503 and writes nothing', async t => {
  const location = await createTestDatabase(t)
  const proxy = await createDatabaseProxy(t, location)
  const api = await createTestApp(t, {}, proxy.location)
  const sql = connect(location)
  t.teardown(async () => { await sql.end() })
  const lock = await sql.reserve()
  await lock`begin`
  await lock`lock table users in exclusive mode`
  const email = newEmail()
  const registration = post(api, '/auth/register', { email, password: goodPassword })
  await until('the insert waits', async () => (await sql`select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like 'insert into%users%'`).length > 0)
  await proxy.cut()
  t.equal((await registration).statusCode, 503)
  await lock`commit`
  lock.release()
  await until('the server noticed', async () => (await sql`select 1 from pg_stat_activity where state = 'active' and query like 'insert into%users%' and pid <> pg_backend_pid()`).length === 0)
  t.same([...await sql`select id from users where email_canonical = ${email}`], [])
  t.same([...await sql`select id from audit_events where type = 'user_created'`], [])
})

t.test('statements and waits for a connection end in time', async t => {
  const location = await createTestDatabase(t)
  const api = await createTestApp(t, { database: { poolMax: 1, statementTimeoutMs: 300, acquireTimeoutMs: 100 } }, location)
  const person = await signUp(api)
  const sql = connect(location)
  t.teardown(async () => { await sql.end() })
  const lock = await sql.reserve()
  await lock`begin`
  await lock`lock table users in access exclusive mode`
  const me = async () => await api.request({ method: 'GET', url: '/api/v1/users/me', headers: person.authorization })
  const [first, second] = await Promise.all([me(), me()])
  t.match([first.statusCode, second.statusCode], [503, 503])
  t.match(second.json().detail, /too busy/)
  await lock`commit`
  lock.release()
  t.equal((await me()).statusCode, 200, 'the one connection is whole')
})

t.test('a read-only database refuses writes with 503 and still serves reads', async t => {
  const location = await createTestDatabase(t)
  const api = await createTestApp(t, {}, location)
  const person = await signUp(api)
  const sql = connect(location)
  t.teardown(async () => { await sql.end() })
  const [{ name } = { name: '' }] = await sql`select current_database() as name`
  await sql.unsafe(`alter database ${name} set default_transaction_read_only = on`)
  await sql`select pg_terminate_backend(pid) from pg_stat_activity where datname = ${name} and pid <> pg_backend_pid()`
  await until('ready', async () => await isReady(api))
  t.equal((await api.request({ method: 'GET', url: '/api/v1/users/me', headers: person.authorization })).statusCode, 200)
  const write = await api.request({ method: 'PATCH', url: '/api/v1/users/me', headers: person.authorization, payload: { firstName: 'A' } })
  t.equal(write.statusCode, 503)
})

t.test('DATABASE_MIGRATE=false waits for somebody else to migrate', async t => {
  const location = await createTestDatabase(t, { empty: true })
  const api = await createTestApp(t, { database: { migrate: false, retryMs: 50 } }, location)
  t.equal(await isReady(api), false)
  t.equal((await post(api, '/auth/login', { email: newEmail(), password: goodPassword })).statusCode, 503)
  t.ok(api.log.lines().some(line => /lacks migrations/.test(String(line.msg))))
  await createTestApp(t, {}, location)
  await until('ready', async () => await isReady(api))
})

t.test('a schema that cannot be migrated fails the start', async t => {
  const location = await createTestDatabase(t, { empty: true })
  const sql = connect(location)
  await sql`create table users (mine int)`
  await sql.end()
  const app = Fastify({ loggerInstance: createLogCapture().logger })
  t.teardown(async () => { await app.close() })
  await t.rejects(async () => { await app.register(dbPlugin, location) }, { message: /already exists/ })
})

t.test('what the database answers that nobody foresaw is DATABASE_ERROR without SQL', async t => {
  const location = await createTestDatabase(t)
  const api = await createTestApp(t, {}, location)
  const sql = connect(location)
  await sql`alter table users add constraint nobody_foresaw check (email not like 'forbidden%')`
  await sql.end()
  const response = await post(api, '/auth/register', { email: 'forbidden@example.com', password: goodPassword })
  t.equal(response.statusCode, 500)
  t.equal(response.json().code, 'DATABASE_ERROR')
  t.notMatch(response.body, /nobody_foresaw|insert/i)
  const line = api.log.lines().find(line => JSON.stringify(line).includes('nobody_foresaw'))
  t.ok(line, 'the log names the constraint')
  t.notMatch(JSON.stringify(line), /forbidden@|insert into/i)
})

t.test('options', async t => {
  const app = Fastify()
  await t.rejects(async () => { await app.register(dbPlugin, {}) }, { message: /give url, or host/ })
  const other = Fastify()
  await t.rejects(async () => { await other.register(dbPlugin, { url: 'mysql://x', poolMax: 0 }) }, { message: /\/url.*\/poolMax/s })
})

t.test('the pool closes with the app', async t => {
  const location = await createTestDatabase(t)
  const app = Fastify()
  await app.register(dbPlugin, location)
  await app.authServeDb.ping()
  await app.close()
  await t.rejects(app.authServeDb.ping(), CodedError)
})

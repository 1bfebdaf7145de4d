import Fastify, { type InjectOptions } from 'fastify'
import t, { type Test } from 'tap'
import { authPlugin } from '../../plugins/auth.ts'
import { breakerPlugin, type BreakerOptions } from '../../plugins/breaker.ts'
import { dbPlugin, type DbOptions } from '../../plugins/db.ts'
import { errorsPlugin } from '../../plugins/errors.ts'
import { inputPlugin } from '../../plugins/input.ts'
import { mailPlugin } from '../../plugins/mail.ts'
import { passwordsPlugin } from '../../plugins/passwords.ts'
import { useCasesPlugin } from '../../plugins/use-cases.ts'
import { apiRoutes } from '../../routes/api.ts'
import type { DatabaseLocation } from '../../src/db/client.ts'
import { startEmbeddedPostgres } from '../../src/db/embedded/index.ts'
import type { BreakerState } from '../../src/schemas/breaker.ts'
import { serverOptions } from '../../src/server-options.ts'
import { cheapPasswords, testSecret, type TestApp } from '../helpers/app.ts'
import { connect, createTestDatabase } from '../helpers/database.ts'
import { createLogCapture } from '../helpers/log-capture.ts'
import { goodPassword, newEmail, post, signUp, type Person } from '../helpers/people.ts'
import { createDatabaseProxy } from '../helpers/proxy.ts'
import { until } from '../helpers/until.ts'
import { freshDataDir, isRunning, serverPid } from '../src/db/embedded-harness.ts'

interface Service extends TestApp { breaker(): BreakerState, transitions(): string[] }

const poolMax = 3

/** The API on a guarded database, with a reset time that leaves an open breaker time to be looked at. */
async function createService (t: Test, database: DatabaseLocation, options: DbOptions = {}, breakers: BreakerOptions = { resetMs: 300 }): Promise<Service> {
  const log = createLogCapture()
  const app = Fastify({ ...serverOptions({}), loggerInstance: log.logger })
  t.teardown(async () => { await app.close() })
  await app.register(errorsPlugin)
  await app.register(breakerPlugin, breakers)
  await app.register(dbPlugin, { ...database, poolMax, ...options })
  await app.register(passwordsPlugin, cheapPasswords)
  await app.register(async routes => {
    await routes.register(inputPlugin)
    await routes.register(authPlugin, { secrets: [testSecret], issuer: 'https://issuer.test' })
    await routes.register(mailPlugin)
    await routes.register(useCasesPlugin)
    await routes.register(apiRoutes, { prefix: '/api/v1' })
  })
  await app.ready()
  return {
    app,
    scope: app,
    database,
    log,
    request: async (inject: InjectOptions) => await app.inject(inject),
    breaker () {
      const state = app.authServeBreakers.list().find(({ name }) => name === 'database')
      if (state === undefined) throw new Error('the database has no breaker')
      return state
    },
    transitions: () => log.lines().filter(({ breaker }) => breaker === 'database').map(({ level, from, to }) => `${level}: ${from} > ${to}`)
  }
}

const readMe = async (service: Service, person: Person) => await service.request({ method: 'GET', url: '/api/v1/users/me', headers: person.authorization })

const untilServing = async (service: Service, person: Person) => await until('it serves again', async () => (await readMe(service, person)).statusCode === 200)

/** Connections that the server still holds for us. */
async function connectionsOf (location: DatabaseLocation): Promise<number> {
  const sql = connect(location)
  try {
    return (await sql`select 1 from pg_stat_activity where application_name = 'auth-serve' and datname = current_database()`).length
  } finally {
    await sql.end()
  }
}

t.test('a database that is cut off: refused without being asked, 503 to everybody, and back by a ping', async t => {
  const location = await createTestDatabase(t)
  const proxy = await createDatabaseProxy(t, location)
  const service = await createService(t, proxy.location)
  const person = await signUp(service)
  await proxy.cut()
  await until('open', async () => {
    t.equal((await readMe(service, person)).statusCode, 503)
    return service.breaker().state === 'open'
  })
  t.ok(service.breaker().failureCount >= 5)

  const calls = [
    async () => await readMe(service, person),
    async () => await post(service, '/auth/login', { email: person.email, password: goodPassword }),
    async () => await post(service, '/auth/login', { email: person.email, password: 'not the password' }),
    async () => await post(service, '/auth/register', { email: newEmail(), password: goodPassword })
  ]
  for (const call of calls) {
    const response = await call()
    t.equal(response.statusCode, 503)
    t.equal(response.json().code, 'SERVICE_UNAVAILABLE')
    t.equal(response.headers['retry-after'], '1')
  }
  t.ok(service.breaker().rejectedCount > 0, 'the breaker answered')
  await t.rejects(service.app.authServeDb.ping(), { code: 'SERVICE_UNAVAILABLE' })

  await proxy.restore()
  await until('a ping found it back', async () => await service.app.authServeDb.ping().then(() => true, () => false))
  t.equal(service.breaker().state, 'closed')
  t.equal((await readMe(service, person)).statusCode, 200)
  const seen = service.transitions()
  t.equal(seen[0], 'warn: closed > open')
  t.same(seen.slice(-2), ['info: open > halfOpen', 'info: halfOpen > closed'])
  t.ok(await connectionsOf(location) <= poolMax)
})

t.test('an open breaker asks the database nothing', async t => {
  const proxy = await createDatabaseProxy(t, await createTestDatabase(t))
  const service = await createService(t, proxy.location, {}, { resetMs: 3_600_000 })
  const person = await signUp(service)
  await proxy.cut()
  await until('open', async () => (await readMe(service, person)).statusCode === 503 && service.breaker().state === 'open')
  await proxy.restore()
  const { failureCount, successCount, rejectedCount } = service.breaker()
  for (let i = 1; i <= 10; i++) {
    const response = await readMe(service, person)
    t.match([response.statusCode, response.headers['retry-after']], [503, /^3[56]\d\d$/])
    t.match(service.breaker(), { failureCount, successCount, rejectedCount: rejectedCount + i })
  }
})

t.test('a database that hangs: waits and statements time out, the breaker opens, and it ends without a leak', async t => {
  const location = await createTestDatabase(t)
  const proxy = await createDatabaseProxy(t, location)
  const service = await createService(t, proxy.location, { acquireTimeoutMs: 100, statementTimeoutMs: 200, connectTimeoutSeconds: 1 })
  const person = await signUp(service)
  proxy.freeze()
  await until('open', async () => {
    const responses = await Promise.all(Array.from({ length: 10 }, async () => await readMe(service, person)))
    t.same([...new Set(responses.map(({ statusCode }) => statusCode))], [503])
    return service.breaker().state === 'open'
  })
  await proxy.cut()
  await proxy.restore()
  await untilServing(service, person)
  t.equal(service.breaker().state, 'closed')
  await until('no connection is left over', async () => await connectionsOf(location) <= poolMax)
})

t.test('conflicts, mistakes and a read-only database open nothing: reads go on', async t => {
  const location = await createTestDatabase(t)
  const service = await createService(t, location)
  const person = await signUp(service)
  for (let i = 0; i < 8; i++) t.equal((await post(service, '/auth/register', { email: person.email, password: goodPassword })).statusCode, 409)
  t.match(service.breaker(), { state: 'closed', failureCount: 0 })

  const sql = connect(location)
  t.teardown(async () => { await sql.end() })
  const [{ name } = { name: '' }] = await sql`select current_database() as name`
  await sql.unsafe(`alter database ${name} set default_transaction_read_only = on`)
  await sql`select pg_terminate_backend(pid) from pg_stat_activity where datname = ${name} and pid <> pg_backend_pid()`
  await untilServing(service, person)
  for (let i = 0; i < 8; i++) t.equal((await post(service, '/auth/register', { email: newEmail(), password: goodPassword })).statusCode, 503)
  t.equal((await readMe(service, person)).statusCode, 200)
  t.equal(service.breaker().state, 'closed')
})

t.test('PostgreSQL killed under load, twice: only 200 and 503 with Retry-After, and it serves again by itself', async t => {
  const dataDir = await freshDataDir(t)
  const embedded = await startEmbeddedPostgres({ dataDir, log: { info () {}, warn () {} }, fsync: false })
  t.teardown(async () => { await embedded.close() })
  const service = await createService(t, embedded.connection, {}, { threshold: 5, resetMs: 100 })
  const person = await signUp(service)

  const answers = new Map<string, number>()
  const done = new AbortController()
  const worker = async (): Promise<void> => {
    for (let i = 0; !done.signal.aborted; i++) {
      const { statusCode, headers } = i % 4 === 0
        ? await post(service, '/auth/login', { email: person.email, password: goodPassword })
        : await readMe(service, person)
      const answer = `${statusCode} ${headers['retry-after'] ?? ''}`.trim()
      answers.set(answer, (answers.get(answer) ?? 0) + 1)
      await new Promise(resolve => setImmediate(resolve))
    }
  }
  const load = [worker(), worker(), worker(), worker()]
  try {
    for (let round = 1; round <= 2; round++) {
      const before = service.breaker().rejectedCount
      const served = answers.get('200') ?? 0
      await until('the load is served', () => (answers.get('200') ?? 0) > served + 20)
      const pid = await serverPid(dataDir)
      process.kill(pid, 'SIGKILL')
      await until('the breaker refuses', () => service.breaker().rejectedCount > before)
      await until('the breaker is closed by the load', () => service.breaker().state === 'closed')
      t.notOk(isRunning(pid), 'it is another server')
    }
  } finally {
    done.abort()
    await Promise.all(load)
  }
  await untilServing(service, person)
  t.same([...answers.keys()].sort(), ['200', '503 1'], JSON.stringify([...answers]))
  t.equal(service.transitions()[0], 'warn: closed > open')
  t.ok(await connectionsOf(embedded.connection) <= poolMax)
})

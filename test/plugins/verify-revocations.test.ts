import t, { type Test } from 'tap'
import type { DatabaseLocation } from '../../src/db/client.ts'
import { createTestApp, type TestApp } from '../helpers/app.ts'
import { connect, createTestDatabase } from '../helpers/database.ts'
import { relay, startHttpServer, startIssuer } from '../helpers/http-server.ts'
import { post, refresh, signUp } from '../helpers/people.ts'
import { createDatabaseProxy } from '../helpers/proxy.ts'
import { until } from '../helpers/until.ts'
import { createVerifyingApp, jwksPath, revocationsPath, type VerifyingApp } from '../helpers/verifying-app.ts'

const listOf = (iss: string): string => JSON.stringify({ iss, sessions: [], users: [] })

const keysOf = async (api: TestApp): Promise<{ keys: unknown[] }> => (await api.app.inject(jwksPath)).json()

function urlOf (location: DatabaseLocation): string {
  if ('url' in location) return location.url
  const { host, port, database, username, password } = location
  return `postgres://${username}:${encodeURIComponent(password)}@${host}:${port}/${database}`
}

async function makeEditor (t: Test, api: TestApp, id: string): Promise<void> {
  const sql = connect(api.database)
  t.teardown(async () => { await sql.end() })
  await sql`update users set roles = '{user,editor}' where id = ${id}`
}

/** What a logout and changed rights look like from another app, however it hears of them. */
async function seesWhatEnds (t: Test, api: TestApp, { call }: VerifyingApp): Promise<void> {
  const [leaver, promoted, other] = [await signUp(api), await signUp(api), await signUp(api)]
  for (const { accessToken } of [leaver, promoted, other]) t.equal((await call(accessToken)).status, 200)
  await post(api, '/auth/logout', {}, leaver.authorization)
  await until('the logout is seen', async () => (await call(leaver.accessToken)).status === 401)
  t.match(await call(leaver.accessToken), { status: 401, code: 'SESSION_REVOKED', headers: { 'www-authenticate': /^Bearer error="invalid_token", error_description="The session has ended/ } })
  await makeEditor(t, api, promoted.id)
  await until('the change is seen', async () => (await call(promoted.accessToken)).status === 401)
  t.match(await call(promoted.accessToken), { status: 401, code: 'TOKEN_STALE' })
  t.match(await call((await refresh(api, promoted.refreshToken)).json().accessToken), { status: 200, body: { roles: ['user', 'editor'] } })
  t.equal((await call(other.accessToken)).status, 200)
}

t.test('logout and changed rights are seen by polling, with conditional requests', async t => {
  const api = await createTestApp(t)
  const answers: number[] = []
  const issuer = await startHttpServer(t, (request, response) => {
    response.on('finish', () => { answers.push(response.statusCode) })
    relay(api)(request, response)
  })
  const verifying = await createVerifyingApp(t, { keys: await keysOf(api), revocations: { url: issuer.url + revocationsPath, intervalMs: 50 } })
  await seesWhatEnds(t, api, verifying)
  t.equal(answers.filter(status => status === 200).length, 3, 'the first one and two changes')
  t.ok(answers.includes(304))
  t.match(verifying.app.authServeVerifier.state(), { revocations: { loaded: true, entries: 2 } })
})

t.test('logout and changed rights are seen through the database', async t => {
  const api = await createTestApp(t)
  const proxy = await createDatabaseProxy(t, api.database)
  const verifying = await createVerifyingApp(t, { keys: await keysOf(api), revocations: { database: { url: urlOf(proxy.location) } } })
  await seesWhatEnds(t, api, verifying)
  t.match(verifying.app.authServeVerifier.state(), { revocations: { loaded: true, entries: 2 } })

  t.test('beyond what is held in memory the database is asked', async t => {
    const small = await createVerifyingApp(t, { keys: await keysOf(api), revocations: { database: { url: urlOf(proxy.location), maxEntries: 1 } } })
    await seesWhatEnds(t, api, small)
  })
})

t.test('polling: 503 before the first list, 200 by itself, 503 once the list is too old', async t => {
  const api = await createTestApp(t, { revocation: { heartbeatMs: 100 } })
  const person = await signUp(api)
  const issuer = await startIssuer(t, api)
  await issuer.stop()
  const { call, app, log } = await createVerifyingApp(t, { keys: await keysOf(api), revocations: { url: issuer.url + revocationsPath, intervalMs: 50, maxStalenessSeconds: 2 } })
  t.match(await call(person.accessToken), { status: 503, code: 'SERVICE_UNAVAILABLE', headers: { 'retry-after': '1' } })
  t.equal((await call('nonsense')).status, 401, 'what is no token needs no list')
  await issuer.start()
  await until('the list is there', () => app.authServeVerifier.state().revocations?.loaded === true)
  t.equal((await call(person.accessToken)).status, 200)

  for (const [name, outage, end] of [
    ['the issuer is down', async () => await issuer.stop(), async () => await issuer.start()],
    ['it answers 503', async () => { issuer.answer((_request, response) => { response.writeHead(503).end() }) }, async () => { issuer.answer(relay(api)) }],
    ['it answers HTML', async () => { issuer.answer((_request, response) => { response.end('<html>') }) }, async () => { issuer.answer(relay(api)) }],
    ['it answers another JSON', async () => { issuer.answer((_request, response) => { response.end('{"iss":"https://issuer.test","sessions":["x"],"users":[]}') }) }, async () => { issuer.answer(relay(api)) }],
    ['its own answer is old', async () => { issuer.answer((_request, response) => { response.writeHead(200, { age: '2' }).end(listOf('https://issuer.test')) }) }, async () => { issuer.answer(relay(api)) }],
    ['what it says is unchanged is old', async () => { issuer.answer((_request, response) => { response.writeHead(304, { age: '2' }).end() }) }, async () => { issuer.answer(relay(api)) }],
    ['the list is of another issuer', async () => { issuer.answer((_request, response) => { response.end(listOf('https://other.test')) }) }, async () => { issuer.answer(relay(api)) }]
  ] as const) {
    await outage()
    t.equal((await call(person.accessToken)).status, 200, `${name}: at first the list still counts`)
    await until(`${name}: it is too old`, async () => (await call(person.accessToken)).status === 503)
    await end()
    await until(`${name}: it is fresh again`, async () => (await call(person.accessToken)).status === 200)
  }
  t.equal(log.lines().filter(({ level, msg }) => level === 'warn' && /revocation list/.test(String(msg))).length, 6, 'each outage is told once; an old answer is none')
})

t.test('polling: the list of another issuer is none', async t => {
  const api = await createTestApp(t)
  const person = await signUp(api)
  const server = await startHttpServer(t, (_request, response) => { response.end(listOf('https://other.test')) })
  const { call } = await createVerifyingApp(t, { keys: await keysOf(api), revocations: { url: server.url, intervalMs: 50 } })
  t.match(await call(person.accessToken), { status: 503, code: 'SERVICE_UNAVAILABLE' })
  server.answer((_request, response) => { response.end(listOf('https://issuer.test')) })
  await until('its own list is taken', async () => (await call(person.accessToken)).status === 200)
})

t.test('database: 503 before the first load, 200 by itself, 503 once nothing was heard for too long', async t => {
  const api = await createTestApp(t, {}, await createTestDatabase(t))
  const person = await signUp(api)
  const proxy = await createDatabaseProxy(t, api.database)
  await proxy.cut()
  const { call } = await createVerifyingApp(t, { keys: await keysOf(api), revocations: { maxStalenessSeconds: 1, database: { url: urlOf(proxy.location), heartbeatMs: 100 } } })
  t.match(await call(person.accessToken), { status: 503, code: 'SERVICE_UNAVAILABLE' })
  await proxy.restore()
  await until('the feed is there', async () => (await call(person.accessToken)).status === 200)
  await proxy.cut()
  await until('it is too stale', async () => (await call(person.accessToken)).status === 503)
  await proxy.restore()
  await until('it is fresh again', async () => (await call(person.accessToken)).status === 200)
})

import Fastify, { type FastifyInstance } from 'fastify'
import { createLocalJWKSet, importSPKI, jwtVerify, exportJWK } from 'jose'
import t from 'tap'
import { authPlugin } from '../../plugins/auth.ts'
import { dbPlugin } from '../../plugins/db.ts'
import { createTestApp, testSecret } from '../helpers/app.ts'
import { connect, createTestDatabase } from '../helpers/database.ts'
import { signUp } from '../helpers/people.ts'

t.test('a route without config.access fails the start', async t => {
  const location = await createTestDatabase(t)
  const app = Fastify()
  t.teardown(async () => { await app.close() })
  await app.register(dbPlugin, location)
  await app.register(authPlugin, { secrets: [testSecret], issuer: 'https://issuer.test' })
  t.throws(() => app.get('/open', async () => 'x'), { message: /GET \/open declares no config\.access/ })
  t.doesNotThrow(() => app.get('/declared', { config: { access: 'public' } }, async () => 'x'))
})

t.test('options are checked at the start', async t => {
  const location = await createTestDatabase(t)
  const app = Fastify()
  t.teardown(async () => { await app.close() })
  await app.register(dbPlugin, location)
  await t.rejects(async () => { await app.register(authPlugin, { secrets: ['short'], issuer: '' }) }, { message: /secrets\/0.*; \/issuer/s })
})

t.test('tokens verify with an independent library, and by the decorated request function', async t => {
  const api = await createTestApp(t)
  const person = await signUp(api)
  const sql = connect(api.database)
  const [row] = await sql`select kid, public_key from signing_keys`
  await sql.end()
  const jwks = createLocalJWKSet({ keys: [{ ...await exportJWK(await importSPKI(row?.public_key, 'ES256')), kid: row?.kid, alg: 'ES256' }] })
  const { payload } = await jwtVerify(person.accessToken, jwks, { issuer: 'https://issuer.test', audience: 'auth-serve', typ: 'at+jwt', algorithms: ['ES256'] })
  t.equal(payload.sub, person.id)
})

t.test('instances agree on one key, and follow one that another made', async t => {
  const location = await createTestDatabase(t)
  const apps = await Promise.all(Array.from({ length: 4 }, async () => await createTestApp(t, {}, location)))
  const sql = connect(location)
  t.teardown(async () => { await sql.end() })
  await Promise.all(apps.map(async api => await signUp(api)))
  const [{ n } = { n: 0 }] = await sql`select count(*)::int as n from signing_keys`
  t.equal(n, 1)
  const [first, second] = apps
  if (first === undefined || second === undefined) return
  const person = await signUp(first)
  t.equal((await second.request({ method: 'GET', url: '/api/v1/users/me', headers: person.authorization })).statusCode, 200)
})

t.test('a new secret keeps old tokens valid; stored keys are sealed anew', async t => {
  const before = await createTestApp(t)
  const person = await signUp(before)
  const [secret, foreign] = ['another-secret-of-the-test-suite-long-enough', 'a-secret-that-nobody-else-was-configured-with']
  const readMe = async (api: typeof before, authorization = person.authorization) => (await api.request({ method: 'GET', url: '/api/v1/users/me', headers: authorization })).statusCode

  const rolling = await createTestApp(t, { secrets: [secret, testSecret] }, before.database)
  t.equal(await readMe(rolling), 200)
  t.equal(await readMe(before, (await signUp(rolling)).authorization), 200)
  const rolled = await createTestApp(t, { secrets: [secret] }, before.database)
  t.equal(await readMe(rolled, (await signUp(rolled)).authorization), 200)
  t.notOk(rolled.log.lines().some(line => /no configured secret opens/.test(String(line.msg))), 'the stored key was sealed anew')

  const lost = await createTestApp(t, { secrets: [foreign] }, before.database)
  t.equal(await readMe(lost), 200, 'the public part still verifies')
  const fresh = await signUp(lost)
  t.equal(await readMe(lost, fresh.authorization), 200)
  t.ok(lost.log.lines().some(line => /no configured secret opens/.test(String(line.msg))), 'it says that it made a key')
  for (const api of [before, rolled]) t.equal(await readMe(api, fresh.authorization), 200, 'the other instances follow')
  t.equal(await readMe(lost, (await signUp(rolled)).authorization), 200)
  const sql = connect(before.database)
  t.teardown(async () => { await sql.end() })
  const [{ n } = { n: 0 }] = await sql`select count(*)::int as n from signing_keys`
  t.equal(n, 3, 'three groups that cannot open each other\'s keys have one each, and do not go on replacing them')
})

t.test('in a host that has @fastify/jwt already', async t => {
  const location = await createTestDatabase(t)
  const host: FastifyInstance = Fastify()
  t.teardown(async () => { await host.close() })
  const { default: fastifyJwt } = await import('@fastify/jwt')
  await host.register(fastifyJwt, { secret: 'the-secret-of-the-host' })
  const { authServe } = await import('../../src/index.ts')
  await host.register(authServe, { prefix: '/accounts', secrets: [testSecret], database: location, jwt: { issuer: 'https://issuer.test' } })
  host.get('/host', async request => { await request.jwtVerify(); return request.user })
  await host.ready()
  const token = host.jwt.sign({ name: 'host' })
  t.match((await host.inject({ url: '/host', headers: { authorization: `Bearer ${token}` } })).json(), { name: 'host' })
  t.equal((await host.inject({ url: '/accounts/users/me', headers: { authorization: `Bearer ${token}` } })).json().code, 'TOKEN_INVALID')
  t.same(Object.keys(host.jwt), Object.keys(Object(host.jwt)), 'nothing was added to the host\'s decorator')
  t.notOk('authServe' in host.jwt)
})

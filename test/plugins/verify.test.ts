import { connect as connectSocket } from 'node:net'
import Fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { verifyPlugin, type VerifiedAuth, type Verifier, type VerifyHook, type VerifyOptions, type RequireRole } from '../../plugins/verify.ts'
import { breakerPlugin } from '../../plugins/breaker.ts'
import { createTestApp, type TestApp } from '../helpers/app.ts'
import { connect } from '../helpers/database.ts'
import { startHttpServer } from '../helpers/http-server.ts'
import { bearer, refresh, signUp } from '../helpers/people.ts'
import { createVerifyingApp, issuer, jwksPath } from '../helpers/verifying-app.ts'

async function listen (app: FastifyInstance): Promise<string> {
  return await app.listen({ host: '127.0.0.1', port: 0 })
}

async function makeAdmin (t: Test, api: TestApp, id: string): Promise<void> {
  const sql = connect(api.database)
  t.teardown(async () => { await sql.end() })
  await sql`update users set roles = '{user,admin}' where id = ${id}`
}

t.test('verifies the tokens of a running service by its JWKS URL', async t => {
  const api = await createTestApp(t)
  const url = await listen(api.app)
  const person = await signUp(api)
  const { app, call } = await createVerifyingApp(t, { jwksUrl: url + jwksPath })

  t.match(await call(person.accessToken), { status: 200, body: { userId: person.id, sessionId: person.sessionId, roles: ['user'] } })
  t.match(app.authServeVerifier.state(), { keys: { loaded: true, keys: 1 }, revocations: null })
  t.match(await app.authServeVerifier.verify(person.accessToken), { userId: person.id, claims: { iss: 'https://issuer.test', sub: person.id } })

  t.test('request.auth is null on routes that ask for nobody', async t => {
    const open: FastifyInstance = Fastify()
    t.teardown(async () => { await open.close() })
    await open.register(verifyPlugin, { ...issuer, jwksUrl: url + jwksPath })
    open.get('/', async ({ auth }) => ({ auth }))
    t.same((await open.inject({ url: '/', headers: person.authorization })).json(), { auth: null })
  })

  t.test('refusals are those of RFC 6750 as problem+json', async t => {
    const send = async (headers: Record<string, string>) => {
      const { statusCode, headers: answered, body } = await app.inject({ url: '/me?x=1', headers })
      return { status: statusCode, headers: answered, problem: JSON.parse(body) }
    }
    const common = { 'content-type': 'application/problem+json; charset=utf-8', 'cache-control': 'no-store' }
    const nobody = await send({})
    t.match(nobody, { status: 401, headers: common, problem: { type: 'urn:auth-serve:error:TOKEN_MISSING', code: 'TOKEN_MISSING', status: 401, instance: '/me', requestId: /./ } })
    t.equal(nobody.headers['www-authenticate'], 'Bearer')
    t.equal((await send({ authorization: 'Basic eDp5' })).headers['www-authenticate'], 'Bearer')
    for (const authorization of ['Bearer', 'Bearer ', 'Bearer x', 'Bearer a b', 'Bearer "', `Bearer ${person.accessToken}x`, `Bearer ${person.accessToken},`, `Bearer ${'x'.repeat(9000)}`, `Bearer ${person.accessToken}${'A'.repeat(8192)}`]) {
      const answer = await send({ authorization })
      t.match(answer, { status: 401, headers: common, problem: { code: 'TOKEN_INVALID' } }, authorization.slice(0, 30))
      t.match(answer.headers['www-authenticate'], /^Bearer error="invalid_token", error_description="[^"\\]+"$/)
    }
    t.equal((await send({ authorization: `bEARER   ${person.accessToken}` })).status, 200, 'the scheme in any case')
  })

  t.test('one Authorization header, no more', async t => {
    const address = new URL(await listen(app))
    const answer = await new Promise<string>((resolve, reject) => {
      let text = ''
      const socket = connectSocket(Number(address.port), address.hostname)
      socket.setEncoding('utf8').on('data', chunk => { text += chunk }).on('error', reject).on('end', () => { resolve(text) })
      socket.write(`GET /me HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer ${person.accessToken}\r\nauthorization: Bearer other\r\n\r\n`)
    })
    t.match(answer, /^HTTP\/1\.1 401 .*"code":"TOKEN_INVALID"/s)
  })
})

t.test('requireRole wants any of its roles, and authenticates where nobody did', async t => {
  const api = await createTestApp(t)
  const [user, admin] = [await signUp(api), await signUp(api)]
  await makeAdmin(t, api, admin.id)
  const { accessToken } = (await refresh(api, admin.refreshToken)).json()
  const app: FastifyInstance = Fastify()
  t.teardown(async () => { await app.close() })
  await app.register(verifyPlugin, { ...issuer, jwksUrl: await listen(api.app) + jwksPath })
  app.get('/role', { preHandler: app.requireRole('editor', 'admin') }, async ({ auth }) => auth?.roles)
  app.get('/both', { onRequest: app.authenticate, preHandler: [app.authenticate, app.requireRole('admin')] }, async ({ auth }) => auth?.roles)
  for (const url of ['/role', '/both']) {
    t.equal((await app.inject({ url })).headers['www-authenticate'], 'Bearer', url)
    const refused = await app.inject({ url, headers: user.authorization })
    t.equal(refused.statusCode, 403)
    t.equal(refused.json().code, 'FORBIDDEN')
    t.match(refused.headers['www-authenticate'], /^Bearer error="insufficient_scope", error_description="This needs the role /)
    t.same((await app.inject({ url, headers: bearer(accessToken) })).json(), ['user', 'admin'])
  }
  const { requireRole }: { requireRole: (...roles: string[]) => VerifyHook } = { requireRole: app.getDecorator('requireRole') }
  for (const roles of [[], ['']]) t.throws(() => requireRole(...roles), TypeError)
})

t.test('by static keys, without any request', async t => {
  const api = await createTestApp(t)
  const person = await signUp(api)
  const keys: { keys: object[] } = (await api.app.inject(jwksPath)).json()
  const { call } = await createVerifyingApp(t, { keys: { keys: [{ kty: 'oct', k: 'AAAA', kid: 'x' }, 'nonsense', ...keys.keys] } })
  t.equal((await call(person.accessToken)).status, 200)
  const other = await createTestApp(t)
  t.match(await call((await signUp(other)).accessToken), { status: 401, code: 'TOKEN_INVALID' }, 'an unknown key')
  const foreign = await createTestApp(t, { jwt: { issuer: 'https://issuer.test', audience: 'another' } }, api.database)
  t.match(await call((await signUp(foreign)).accessToken), { status: 401, code: 'TOKEN_INVALID' }, 'another audience')
})

t.test('an expired token is TOKEN_EXPIRED, remembered or not', async t => {
  const api = await createTestApp(t)
  const person = await signUp(api)
  const { call } = await createVerifyingApp(t, { keys: (await api.app.inject(jwksPath)).json() })
  t.equal((await call(person.accessToken)).status, 200)
  const now = Date.now()
  t.intercept(Date, 'now', { value: () => now + 901_000 })
  t.match(await call(person.accessToken), { status: 401, code: 'TOKEN_EXPIRED', headers: { 'www-authenticate': /expired/ } })
})

t.test('two verifiers for two issuers in one app', async t => {
  const [first, second] = [await createTestApp(t), await createTestApp(t, { jwt: { issuer: 'https://other.test', audience: 'other' } })]
  const [ada, bob] = [await signUp(first), await signUp(second)]
  const app: FastifyInstance = Fastify()
  t.teardown(async () => { await app.close() })
  await app.register(breakerPlugin)
  const ours: VerifyOptions = { ...issuer, jwksUrl: await listen(first.app) + jwksPath, breakersDecorator: 'authServeBreakers' }
  await app.register(verifyPlugin, ours)
  const theirs: VerifyOptions = {
    issuer: 'https://other.test',
    audience: 'other',
    jwksUrl: await listen(second.app) + jwksPath,
    name: 'partner',
    breakersDecorator: 'authServeBreakers',
    decorators: { authenticate: 'authenticatePartner', requireRole: 'requirePartnerRole', auth: 'partner', verifier: 'partnerVerifier' }
  }
  await app.register(verifyPlugin, theirs)
  app.get('/ours', { onRequest: app.authenticate }, async ({ auth }) => auth?.userId)
  app.get('/theirs', { onRequest: app.getDecorator<VerifyHook>('authenticatePartner') }, async request => request.getDecorator<VerifiedAuth>('partner').userId)
  app.get('/role', { onRequest: app.getDecorator<RequireRole>('requirePartnerRole')('user') }, async () => 'yes')
  const call = async (url: string, { authorization }: { authorization: { authorization: string } }) => await app.inject({ url, headers: authorization })
  t.equal((await call('/ours', ada)).body, ada.id)
  t.equal((await call('/theirs', bob)).body, bob.id)
  t.equal((await call('/role', bob)).body, 'yes')
  t.equal((await call('/ours', bob)).json().code, 'TOKEN_INVALID')
  t.equal((await call('/theirs', ada)).json().code, 'TOKEN_INVALID')
  t.ok(app.getDecorator<Verifier>('partnerVerifier').state().keys.loaded)
  t.same(app.authServeBreakers.list().map(({ name }) => name).sort(), ['partner-jwks', 'verify-jwks'])

  t.test('without names of its own the second one fails the start, saying how', async t => {
    const host = Fastify()
    t.teardown(async () => { await host.close() })
    await host.register(verifyPlugin, { ...ours, breakersDecorator: undefined })
    await t.rejects(async () => { await host.register(verifyPlugin, { ...theirs, breakersDecorator: undefined, decorators: {} }) }, { message: /app\.authenticate, app\.requireRole, app\.authServeVerifier, request\.auth exists already; .* option decorators/ })
  })
  t.test('in scopes of their own both have the usual names', async t => {
    const host: FastifyInstance = Fastify()
    t.teardown(async () => { await host.close() })
    for (const [prefix, options] of [['/a', ours], ['/b', theirs]] as const) {
      await host.register(async scope => {
        await scope.register(verifyPlugin, { ...options, breakersDecorator: undefined, decorators: {} })
        scope.get('/', { onRequest: scope.authenticate }, async ({ auth }) => auth?.userId)
      }, { prefix })
    }
    t.equal((await host.inject({ url: '/a', headers: ada.authorization })).body, ada.id)
    t.equal((await host.inject({ url: '/b', headers: bob.authorization })).body, bob.id)
    t.notOk(host.hasDecorator('authenticate'))
  })
})

t.test('a host with its own error handler, serializers and hooks gets the same refusals', async t => {
  const { url } = await startHttpServer(t, (_request, response) => { response.writeHead(500).end() })
  const app: FastifyInstance = Fastify()
  t.teardown(async () => { await app.close() })
  app.setErrorHandler((_error, _request, reply) => { reply.code(599).send('of the host') })
  app.setReplySerializer(payload => JSON.stringify({ enveloped: payload }))
  app.addHook('onSend', async () => { await new Promise(resolve => setImmediate(resolve)) })
  await app.register(verifyPlugin, { ...issuer, jwksUrl: url })
  let reached = 0
  app.get('/', { onRequest: [app.authenticate, async () => { reached++ }] }, async () => { reached++ })
  t.match((await app.inject('/')).json(), { code: 'TOKEN_MISSING' })
  t.equal((await app.inject({ method: 'HEAD', url: '/' })).statusCode, 401)
  t.equal(reached, 0, 'nothing after the hook runs')
})

t.test('options are checked at the start', async t => {
  const jwksUrl = 'https://issuer.test/jwks.json'
  for (const [options, message] of [
    [{}, /\/issuer.*\/audience/s],
    [issuer, /jwksUrl or keys, exactly one/],
    [{ ...issuer, jwksUrl, keys: { keys: [] } }, /jwksUrl or keys, exactly one/],
    [{ ...issuer, keys: { keys: [] } }, /\/keys: it holds no public key/],
    [{ ...issuer, jwksUrl: 'file:///etc/passwd' }, /\/jwksUrl/],
    [{ ...issuer, jwksUrl: 'https://name:secret@issuer.test/' }, /\/jwksUrl: a name and password/],
    [{ ...issuer, jwksUrl: 'https://:x/' }, /\/jwksUrl: it is no URL/],
    [{ ...issuer, jwksUrl, revocations: {} }, /\/revocations: give url or database/],
    [{ ...issuer, jwksUrl, revocations: { url: jwksUrl, database: { url: 'postgres://x/y' } } }, /\/revocations: give url or database/],
    [{ ...issuer, jwksUrl, jwks: { cooldownMs: 0 } }, /\/jwks\/cooldownMs/],
    [{ ...issuer, jwksUrl, revocations: { url: jwksUrl, intervalMs: 5000, maxStalenessSeconds: 5 } }, /\/revocations\/maxStalenessSeconds: give more than intervalMs/],
    [{ ...issuer, jwksUrl, jwk: {} }, /\/jwk: /]
  ] as const) {
    const app = Fastify()
    const error: unknown = await app.register(verifyPlugin, Object.assign({ issuer: '', audience: '' }, options)).then(() => undefined, thrown => thrown)
    await app.close()
    t.match(error, { name: 'TypeError', message })
    t.notMatch(String(error), /secret/)
  }
})

import cors from '@fastify/cors'
import helmet from '@fastify/helmet'
import fastifyJwt from '@fastify/jwt'
import rateLimit from '@fastify/rate-limit'
import swagger from '@fastify/swagger'
import Fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { breakerPlugin } from '../plugins/breaker.ts'
import { authServe, serverOptions } from '../src/index.ts'
import { cheapPasswords } from './helpers/app.ts'
import { createTestDatabase } from './helpers/database.ts'
import { goodPassword } from './helpers/people.ts'

/** The name of a decorator of ours, for a host that does not use it and has its own. */
const auth: string = 'auth'

/** An app that has everything already, in its own way. */
async function createHost (): Promise<FastifyInstance> {
  const host: FastifyInstance = Fastify()
  await host.register(swagger, { openapi: { openapi: '3.1.0', info: { title: 'host', version: '1' } } })
  await host.register(cors, { origin: 'https://host.test', credentials: true })
  await host.register(helmet, { contentSecurityPolicy: { directives: { defaultSrc: ['https://host.test'] } } })
  await host.register(rateLimit, { max: 1000, timeWindow: '1 minute' })
  await host.register(fastifyJwt, { secret: 'the-secret-of-the-host' })
  host.decorateRequest(auth, 'of the host')
  host.addSchema({ $id: 'User', type: 'object', properties: { name: { type: 'string' } } })
  host.setErrorHandler((error: Error, _request, reply) => { reply.code(599).send({ host: error.message }) })
  host.setNotFoundHandler((_request, reply) => { reply.code(404).send({ host: 'not found' }) })
  host.setSerializerCompiler(() => data => JSON.stringify({ byTheHost: data }))
  host.setReplySerializer(payload => JSON.stringify({ enveloped: payload }))
  host.addHook('onSend', async (_request, reply) => { reply.header('x-host', 'yes') })
  host.get('/mine', { schema: { response: { 200: { $ref: 'User#' } } } }, async () => ({ name: 'host' }))
  host.get('/me', async request => { await request.jwtVerify(); return { user: request.user, auth: request.getDecorator(auth) } })
  host.get('/fails', async () => { throw new Error('of the host') })
  host.post('/echo', async request => request.body)
  return host
}

/** What the host answers by itself, without what differs from one answer to the next. */
async function answersOf (host: FastifyInstance): Promise<unknown> {
  const token = host.jwt.sign({ name: 'somebody', iat: 0 })
  const requests = [
    { url: '/mine' },
    { url: '/mine', headers: { origin: 'https://host.test' } },
    { url: '/me', headers: { authorization: `Bearer ${token}` } },
    { url: '/me' },
    { url: '/fails' },
    { url: '/nowhere' },
    { method: 'DELETE' as const, url: '/mine' },
    { method: 'OPTIONS' as const, url: '/mine', headers: { origin: 'https://host.test', 'access-control-request-method': 'GET' } },
    { method: 'POST' as const, url: '/echo', payload: { a: 1, __proto: 2 } },
    { method: 'POST' as const, url: '/echo', payload: 'text', headers: { 'content-type': 'text/plain' } }
  ]
  const answers = []
  for (const request of requests) {
    const { statusCode, headers, body } = await host.inject(request)
    const { date, 'x-ratelimit-remaining': remaining, 'x-ratelimit-reset': reset, ...rest } = headers
    answers.push({ request, statusCode, headers: rest, body })
  }
  return answers
}

async function registerTwice (t: Test, host: FastifyInstance): Promise<void> {
  for (const prefix of ['/first', '/second']) {
    await host.register(authServe, {
      prefix,
      database: await createTestDatabase(t),
      secrets: [`the-secret-of-${prefix}-that-is-long-enough`],
      jwt: { issuer: 'https://issuer.test' },
      passwords: cheapPasswords
    })
  }
}

t.test('two instances in a host that has everything already', async t => {
  const [alone, host] = [await createHost(), await createHost()]
  await registerTwice(t, host)
  await Promise.all([alone.ready(), host.ready()])
  t.teardown(async () => { await Promise.all([alone.close(), host.close()]) })
  const send = async (url: string, payload: object) => await host.inject({ method: 'POST', url, payload })
  const credentials = { email: 'ada@example.com', password: goodPassword }

  t.test('both work, apart from one another', async t => {
    const tokens: Record<string, string> = {}
    for (const prefix of ['/first', '/second']) {
      const registered = await send(`${prefix}/auth/register`, credentials)
      t.equal(registered.statusCode, 201)
      t.equal(registered.headers.location, `${prefix}/users/me`)
      tokens[prefix] = (await send(`${prefix}/auth/login`, credentials)).json().accessToken
      for (const path of ['/health', '/readiness', '/.well-known/jwks.json', '/docs/json', '/']) t.equal((await host.inject(prefix + path)).statusCode, 200, prefix + path)
    }
    const first = await host.inject({ url: '/first/users/me', headers: { authorization: `Bearer ${tokens['/first']}` } })
    t.match(first.json(), { email: credentials.email }, 'in our own form')
    for (const [own, other] of [['/first', '/second'], ['/second', '/first']] as const) {
      const headers = { authorization: `Bearer ${tokens[own]}` }
      t.equal((await host.inject({ url: `${own}/users/me`, headers })).statusCode, 200)
      t.equal((await host.inject({ url: `${other}/users/me`, headers })).json().code, 'TOKEN_INVALID')
      t.equal((await host.inject({ url: '/me', headers })).statusCode, 599)
    }
    const hostToken = { authorization: `Bearer ${host.jwt.sign({ sub: 'x' })}` }
    t.equal((await host.inject({ url: '/first/users/me', headers: hostToken })).json().code, 'TOKEN_INVALID')
  })

  t.test('errors and unknown paths below a prefix are ours', async t => {
    t.equal((await host.inject('/first/nowhere')).json().code, 'NOT_FOUND')
    t.match((await host.inject({ method: 'PUT', url: '/second/auth/login' })).headers, { allow: 'POST', 'content-type': 'application/problem+json; charset=utf-8' })
    const wrong = await send('/first/auth/register', { email: 'x' })
    t.equal(wrong.statusCode, 422)
    t.equal(wrong.json().requestId, wrong.headers['x-request-id'])
  })

  t.test('each document describes its own instance only', async t => {
    for (const prefix of ['/first', '/second']) {
      const document = (await host.inject(`${prefix}/docs/json`)).json()
      t.ok(Object.keys(document.paths).every(path => path === prefix || path.startsWith(`${prefix}/`)))
      t.ok(`${prefix}/auth/login` in document.paths)
    }
  })

  t.test('the host\'s answers and its document are unchanged', async t => {
    t.same(await answersOf(host), await answersOf(alone))
    t.same(host.swagger(), alone.swagger())
    t.same(Object.keys(host.jwt).sort(), Object.keys(alone.jwt).sort())
  })
})

t.test('serverOptions() makes a host behave as the standalone service where only a root can', async t => {
  const host: FastifyInstance = Fastify(serverOptions())
  await host.register(authServe, { prefix: '/accounts', database: await createTestDatabase(t), secrets: ['the-secret-of-the-host-that-is-long-enough'], jwt: { issuer: 'https://issuer.test' } })
  t.teardown(async () => { await host.close() })
  const response = await host.inject({ url: '/accounts/%zz', headers: { 'x-request-id': 'abc' } })
  t.equal(response.statusCode, 400)
  t.match(response.json(), { code: 'MALFORMED_REQUEST', requestId: 'abc' })
  t.equal((await host.inject({ url: '/accounts/health', headers: { 'x-request-id': 'abc' } })).headers['x-request-id'], 'abc')
})

t.test('a host\'s breakers and ours in one list', async t => {
  const host: FastifyInstance = Fastify()
  await host.register(breakerPlugin)
  await host.register(authServe, {
    prefix: '/accounts', database: { ...await createTestDatabase(t), breaker: 'accounts' }, secrets: ['the-secret-of-the-host-that-is-long-enough'], jwt: { issuer: 'https://issuer.test' }, breakers: { instance: host.authServeBreakers }
  })
  t.teardown(async () => { await host.close() })
  await host.ready()
  t.equal(await host.authServeBreakers.protect('billing', async () => 'paid'), 'paid')
  t.same(host.authServeBreakers.list().map(({ name }) => name).sort(), ['accounts', 'billing'])
})

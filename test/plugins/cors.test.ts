import hostCors from '@fastify/cors'
import Fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { corsPlugin, type CorsOptions } from '../../plugins/cors.ts'
import { errorsPlugin } from '../../plugins/errors.ts'
import { loggingPlugin } from '../../plugins/logging.ts'

const asked = { 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization,content-type' }

async function createApp (t: Test, scopes: Record<string, CorsOptions>, prepare?: (app: FastifyInstance) => Promise<void>): Promise<FastifyInstance> {
  const app = Fastify()
  await prepare?.(app)
  for (const [prefix, options] of Object.entries(scopes)) {
    await app.register(async scope => {
      await scope.register(loggingPlugin)
      await scope.register(corsPlugin, options)
      await scope.register(errorsPlugin)
      scope.post('/login', { onRequest: async request => { if (request.headers.authorization === undefined) throw Object.assign(new Error('no'), { statusCode: 400 }) } }, async () => ({}))
    }, { prefix })
  }
  await app.ready()
  t.teardown(async () => { await app.close() })
  return app
}

const corsOf = (headers: object): string[] => Object.keys(headers).filter(name => name.startsWith('access-control-'))

for (const prefix of ['/p', '']) {
  t.test(`nothing is allowed by default under "${prefix}"`, async t => {
    const app = await createApp(t, { [prefix]: {} })
    const preflight = await app.inject({ method: 'OPTIONS', url: `${prefix}/login`, headers: { origin: 'https://app.example', ...asked } })
    t.equal(preflight.statusCode, 405)
    t.equal(preflight.headers.allow, 'POST')
    const response = await app.inject({ method: 'POST', url: `${prefix}/login`, headers: { origin: 'https://app.example', authorization: 'x' } })
    t.equal(response.statusCode, 200)
    t.same(corsOf({ ...preflight.headers, ...response.headers }), [])
  })

  t.test(`an allowed origin gets its preflight and reads the answers under "${prefix}", errors too`, async t => {
    const app = await createApp(t, { [prefix]: { origins: ['https://app.example', 'capacitor://localhost'] } })
    for (const origin of ['https://app.example', 'capacitor://localhost']) {
      const preflight = await app.inject({ method: 'OPTIONS', url: `${prefix}/login`, headers: { origin, ...asked } })
      t.equal(preflight.statusCode, 204)
      t.match(preflight.headers, {
        'access-control-allow-origin': origin,
        'access-control-allow-methods': 'GET, HEAD, POST, PUT, PATCH, DELETE',
        'access-control-allow-headers': 'Authorization, Content-Type, X-Request-Id, X-Correlation-Id',
        'access-control-max-age': '600',
        vary: /Origin/,
        'x-request-id': /./
      })
      t.notOk(preflight.headers['access-control-allow-credentials'])
      for (const [url, status] of [['/login', 400], ['/nowhere', 404]] as const) {
        const refused = await app.inject({ method: 'POST', url: `${prefix}${url}`, headers: { origin } })
        t.equal(refused.statusCode, status)
        t.equal(refused.headers['access-control-allow-origin'], origin)
        t.equal(refused.headers['access-control-expose-headers'], 'X-Request-Id, Retry-After, Location, RateLimit, RateLimit-Policy')
      }
    }
    t.equal((await app.inject({ method: 'PUT', url: `${prefix}/login` })).headers.allow, 'POST', 'preflights are no method of a path')
  })

  t.test(`any other origin gets no CORS headers under "${prefix}"`, async t => {
    const app = await createApp(t, { [prefix]: { origins: ['https://app.example'] } })
    for (const origin of ['https://app.example.evil.test', 'http://app.example', 'https://app.example:8443', 'null', 'https://APP.example']) {
      const response = await app.inject({ method: 'POST', url: `${prefix}/login`, headers: { origin, authorization: 'x' } })
      t.equal(response.statusCode, 200)
      t.same(corsOf(response.headers), [], origin)
      t.equal(response.headers.vary, 'Origin')
      const preflight = await app.inject({ method: 'OPTIONS', url: `${prefix}/login`, headers: { origin, ...asked } })
      t.equal(preflight.statusCode, 405)
      t.equal(preflight.headers['content-type'], 'application/problem+json; charset=utf-8')
      t.same(corsOf(preflight.headers), [], origin)
    }
    t.equal((await app.inject({ method: 'OPTIONS', url: `${prefix}/nowhere` })).statusCode, 404)
  })
}

t.test('"*" allows every origin', async t => {
  const app = await createApp(t, { '/p': { origins: ['*'] } })
  const response = await app.inject({ method: 'POST', url: '/p/login', headers: { origin: 'https://any.example', authorization: 'x' } })
  t.equal(response.headers['access-control-allow-origin'], '*')
})

t.test('two instances keep their own rules inside a host with @fastify/cors, and the host its own', async t => {
  const app = await createApp(t, { '/a': { origins: ['https://a.example'] }, '/b': { origins: ['https://b.example'] }, '/c': {} }, async app => {
    await app.register(hostCors, { origin: 'https://host.example', credentials: true })
    app.post('/login', async () => ({}))
  })
  const allowed = async (url: string, origin: string): Promise<unknown[]> => {
    const preflight = await app.inject({ method: 'OPTIONS', url, headers: { origin, ...asked } })
    const response = await app.inject({ method: 'POST', url, headers: { origin, authorization: 'x' } })
    const header = 'access-control-allow-origin'
    return [preflight.statusCode, preflight.headers[header], response.headers[header], response.headers['access-control-allow-credentials']]
  }
  t.same(await allowed('/a/login', 'https://a.example'), [204, 'https://a.example', 'https://a.example', undefined])
  t.same(await allowed('/b/login', 'https://b.example'), [204, 'https://b.example', 'https://b.example', undefined])
  for (const [url, origin] of [['/a/login', 'https://b.example'], ['/b/login', 'https://a.example'], ['/a/login', 'https://host.example']] as const) {
    t.same(await allowed(url, origin), [405, undefined, undefined, undefined], `${url} from ${origin}`)
  }
  t.same(await allowed('/login', 'https://host.example'), [204, 'https://host.example', 'https://host.example', 'true'])
  t.same(await allowed('/c/login', 'https://host.example'), [204, 'https://host.example', 'https://host.example', 'true'], 'without origins the host decides')
})

t.test('origins that no browser sends fail the start', async t => {
  for (const origin of ['https://app.example/', 'app.example', 'https://app.example:443', 'https://App.example', 'http://']) {
    await t.rejects(createApp(t, { '/p': { origins: [origin] } }), { name: 'TypeError' }, origin)
  }
})

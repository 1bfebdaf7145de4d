import hostRateLimit from '@fastify/rate-limit'
import Fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { errorsPlugin } from '../../plugins/errors.ts'
import { healthPlugin } from '../../plugins/health.ts'
import { rateLimitPlugin, type RateLimitOptions } from '../../plugins/rate-limit.ts'
import { serverOptions } from '../../src/server-options.ts'
import { createLogCapture } from '../helpers/log-capture.ts'
import { startRedis } from '../helpers/redis.ts'
import { until } from '../helpers/until.ts'

async function limited (scope: FastifyInstance, options: RateLimitOptions): Promise<void> {
  await scope.register(errorsPlugin)
  await scope.register(healthPlugin)
  await scope.register(rateLimitPlugin, options)
  scope.get('/free', { config: { limit: false } }, async () => ({}))
  scope.get('/one', async () => ({}))
  scope.post('/two', async request => request.body)
  scope.post('/login', { config: { limit: 'credentials' } }, async () => ({}))
}

interface Setup { scopes: Record<string, RateLimitOptions>, trustProxy?: boolean, prepare?: (app: FastifyInstance) => Promise<void> }

async function createApp (t: Test, { scopes, trustProxy, prepare }: Setup) {
  const log = createLogCapture()
  const app: FastifyInstance = Fastify({ ...serverOptions({ trustProxy }), loggerInstance: log.logger })
  await prepare?.(app)
  const made: Record<string, FastifyInstance> = {}
  for (const [prefix, options] of Object.entries(scopes)) {
    await app.register(async scope => { made[prefix] = scope; await limited(scope, options) }, { prefix })
  }
  await app.ready()
  t.teardown(async () => { await app.close() })
  const status = async (url: string, remoteAddress = '192.0.2.1', headers: Record<string, string> = {}): Promise<number> =>
    (await app.inject({ url, remoteAddress, headers, method: url.endsWith('/login') ? 'POST' : 'GET' })).statusCode
  return { app, log, status, limit: (prefix: string) => made[prefix]?.authServeRateLimit }
}

t.test('requests beyond the quota are 429 with the fields of the draft', async t => {
  const exceeded: string[] = []
  const { app } = await createApp(t, { scopes: { '/p': { max: 2, windowSeconds: 60, onExceeded: request => { exceeded.push(request.url) } } } })
  const first = await app.inject('/p/one')
  t.equal(first.headers['ratelimit-policy'], '"default";q=2;w=60')
  t.equal(first.headers.ratelimit, '"default";r=1;t=60')
  t.notOk(Object.keys(first.headers).some(name => name.startsWith('x-ratelimit') || name.startsWith('ratelimit-re')))
  t.equal((await app.inject({ method: 'POST', url: '/p/two', payload: {} })).statusCode, 200)
  const refused = await app.inject({ method: 'POST', url: '/p/two', payload: 'no JSON', headers: { 'content-type': 'text/plain' } })
  t.equal(refused.statusCode, 429, 'before the body is looked at')
  t.equal(refused.headers['content-type'], 'application/problem+json; charset=utf-8')
  t.equal(refused.json().code, 'RATE_LIMITED')
  t.match(refused.headers['retry-after'], /^([1-9]|[1-5]\d|60)$/)
  t.match(refused.headers.ratelimit, /^"default";r=0;t=\d+$/)
  t.same(exceeded, ['/p/two'])
  for (let i = 0; i < 5; i++) t.equal((await app.inject('/p/free')).statusCode, 200)
  t.notOk((await app.inject('/p/free')).headers.ratelimit)
  t.equal((await app.inject('/p/nowhere')).statusCode, 404)
})

t.test('a policy is counted apart, an unknown one fails the start', async t => {
  const { app, status } = await createApp(t, { scopes: { '/p': { max: 1, policies: { credentials: { max: 2, windowSeconds: 600 } } } } })
  t.equal((await app.inject({ method: 'POST', url: '/p/login' })).headers['ratelimit-policy'], '"credentials";q=2;w=600')
  t.equal((await app.inject('/p/one')).statusCode, 200)
  t.equal((await app.inject({ method: 'POST', url: '/p/login' })).headers.ratelimit, '"credentials";r=0;t=600')
  t.equal((await app.inject({ method: 'POST', url: '/p/login' })).statusCode, 429)
  t.equal(await status('/p/one', '192.0.2.9'), 200)
  t.equal((await createApp(t, { scopes: { '/p': { policies: { mail: { max: 1 } } } } }).then(async ({ app }) => await app.inject({ method: 'POST', url: '/p/login' }))).headers['ratelimit-policy'], '"credentials";q=1000;w=60', 'beside those of a host')
  const wrong = Fastify()
  await wrong.register(rateLimitPlugin)
  t.throws(() => wrong.get('/x', { config: { limit: 'mail' } }, async () => ({})), { name: 'TypeError', message: 'auth-serve rate-limit: GET /x names an unknown limit: mail' })
  await t.rejects(createApp(t, { scopes: { '/p': { max: 0, redisUrl: 'http://x' } } }), { name: 'TypeError', message: /\/max.*\/redisUrl/ })
})

t.test('a window ends', async t => {
  const { status } = await createApp(t, { scopes: { '/p': { max: 1, windowSeconds: 1 } } })
  t.equal(await status('/p/one'), 200)
  await until('the window is over', async () => await status('/p/one') === 200)
})

t.test('IPv6 is counted per network, mapped IPv4 as IPv4', async t => {
  const { status } = await createApp(t, { scopes: { '/p': { max: 1 }, '/wide': { max: 1, ipv6Prefix: 48 } } })
  t.equal(await status('/p/one', '2001:db8:0:1::1'), 200)
  t.equal(await status('/p/one', '2001:db8:0:1:ffff::2'), 429, 'the same /64')
  t.equal(await status('/p/one', '2001:db8:0:2::1'), 200, 'another /64')
  t.equal(await status('/p/one', 'fe80::1%eth0'), 200)
  t.equal(await status('/p/one', 'fe80::2%eth1'), 429)
  t.equal(await status('/p/one', '192.0.2.7'), 200)
  t.equal(await status('/p/one', '::ffff:192.0.2.7'), 429)
  t.equal(await status('/p/one', '::ffff:c000:0207'), 429)
  t.equal(await status('/wide/one', '2001:db8:0:1::1'), 200)
  t.equal(await status('/wide/one', '2001:db8:0:2::1'), 429)
})

t.test('X-Forwarded-For changes nothing unless a proxy is trusted', async t => {
  const direct = await createApp(t, { scopes: { '/p': { max: 1 } } })
  t.equal(await direct.status('/p/one', '192.0.2.1', { 'x-forwarded-for': '198.51.100.1' }), 200)
  t.equal(await direct.status('/p/one', '192.0.2.1', { 'x-forwarded-for': '198.51.100.2', forwarded: 'for=198.51.100.3', 'x-real-ip': '198.51.100.4' }), 429)
  const proxied = await createApp(t, { trustProxy: true, scopes: { '/p': { max: 1 } } })
  t.equal(await proxied.status('/p/one', '192.0.2.1', { 'x-forwarded-for': '198.51.100.1' }), 200)
  t.equal(await proxied.status('/p/one', '192.0.2.1', { 'x-forwarded-for': '198.51.100.2' }), 200)
  t.equal(await proxied.status('/p/one', '192.0.2.1', { 'x-forwarded-for': '198.51.100.1:4711' }), 429, 'a port makes no other client')
  t.equal(await proxied.status('/p/one', '192.0.2.1', { 'x-forwarded-for': 'x1' }), 200)
  t.equal(await proxied.status('/p/one', '192.0.2.1', { 'x-forwarded-for': 'x2' }), 429, 'nonsense makes no new clients')
})

t.test('it can be turned off', async t => {
  const { app, limit } = await createApp(t, { scopes: { '/p': { enabled: false, max: 1, redisUrl: 'redis://127.0.0.1:1' } } })
  for (let i = 0; i < 3; i++) {
    const response = await app.inject('/p/one')
    t.equal(response.statusCode, 200)
    t.notOk(response.headers['ratelimit-policy'])
  }
  t.same([limit('/p')?.shared, limit('/p')?.isDegraded()], [false, false])
})

t.test('two instances in a host with @fastify/rate-limit of its own count apart, and the host as before', async t => {
  const { app, status } = await createApp(t, {
    scopes: { '/a': { max: 2 }, '/b': { max: 1 } },
    async prepare (app) {
      await app.register(hostRateLimit, { max: 4, global: false })
      app.get('/host', { config: { rateLimit: { max: 1 } } }, async () => ({}))
    }
  })
  t.same([await status('/a/one'), await status('/a/one'), await status('/a/one')], [200, 200, 429])
  t.same([await status('/b/one'), await status('/b/one')], [200, 429])
  const host = await app.inject('/host')
  t.equal(host.headers['x-ratelimit-limit'], '1')
  t.notOk(host.headers['ratelimit-policy'])
  const refused = await app.inject('/host')
  t.match(refused.json(), { statusCode: 429, message: /^Rate limit exceeded/ })
  t.notOk((await app.inject('/a/free')).headers['x-ratelimit-limit'])
})

t.test('processes that share a Redis count together, instances in one process do not', async t => {
  const redis = await startRedis(t)
  const scopes = { '/a': { max: 2, redisUrl: redis.url }, '/b': { max: 2, redisUrl: redis.url } }
  const [one, other] = [await createApp(t, { scopes }), await createApp(t, { scopes })]
  t.same([await one.status('/a/one'), await other.status('/a/one'), await one.status('/a/one'), await other.status('/a/one')], [200, 200, 429, 429])
  t.equal(await one.status('/b/one'), 200)
  t.equal((await other.app.inject({ url: '/b/one', remoteAddress: '192.0.2.1' })).headers.ratelimit, '"default";r=0;t=60')
  t.match(await redis.keys(), ['auth-serve:rate-limit:/a:default:192.0.2.1', /^auth-serve:rate-limit:\/[ab]:/])
  t.same([one.limit('/a')?.shared, one.limit('/a')?.isDegraded()], [true, false])
})

t.test('without Redis each process goes on counting, says so once, and returns to it', async t => {
  const redis = await startRedis(t)
  const { log, status, limit } = await createApp(t, { scopes: { '/a': { max: 2, redisUrl: redis.url, redisProbeMs: 50, redisTimeoutMs: 100 } } })
  const told = (text: string): number => log.lines().filter(line => String(line.msg).includes(text)).length
  t.equal(await status('/a/one'), 200)

  await redis.kill()
  t.same([await status('/a/one'), await status('/a/one'), await status('/a/one')], [200, 200, 429], 'neither unlimited nor closed')
  t.equal(limit('/a')?.isDegraded(), true)
  await redis.start()
  await until('Redis is used again', () => limit('/a')?.isDegraded() === false)
  t.same([await status('/a/one'), await status('/a/one'), await status('/a/one')], [200, 200, 429], 'the new server counts')
  t.same([told('Redis is lost'), told('Redis is back')], [1, 1])

  redis.freeze()
  t.same([await status('/a/one', '192.0.2.2'), await status('/a/one', '192.0.2.2'), await status('/a/one', '192.0.2.2')], [200, 200, 429], 'one that hangs is lost too')
  t.equal(limit('/a')?.isDegraded(), true)
  redis.thaw()
  await until('Redis is used again', () => limit('/a')?.isDegraded() === false)
  t.same([told('Redis is lost'), told('Redis is back')], [2, 2])
})

t.test('a Redis that was never there keeps nothing from starting', async t => {
  const redis = await startRedis(t)
  await redis.kill()
  const { log, status, limit } = await createApp(t, { scopes: { '/a': { max: 1, redisUrl: redis.url, redisProbeMs: 50 } } })
  t.same([await status('/a/one'), await status('/a/one')], [200, 429])
  t.equal(limit('/a')?.isDegraded(), true)
  t.equal(log.lines().filter(line => String(line.msg).includes('Redis is lost')).length, 1)
  await redis.start()
  await until('Redis is used', () => limit('/a')?.isDegraded() === false)
})

t.test('the password of Redis stays out of the log', async t => {
  const redis = await startRedis(t)
  const url = redis.url.replace('redis://', 'redis://somebody:canary-of-redis@')
  const { log, limit } = await createApp(t, { scopes: { '/a': { redisUrl: url } } })
  t.equal(limit('/a')?.isDegraded(), true)
  t.match(log.text(), /Redis is lost/)
  t.notMatch(log.text(), /canary-of-redis/)
})

t.test('a dependency that is not required is told and keeps nothing from being ready', async t => {
  const app = Fastify()
  await app.register(healthPlugin)
  t.teardown(async () => { await app.close() })
  app.authServeHealth.add('database', async () => {})
  app.authServeHealth.add('redis', async () => { throw new Error('down') }, { required: false })
  t.same(await app.authServeHealth.report(), { ready: true, dependencies: { database: { status: 'up' }, redis: { status: 'down' } } })
  app.authServeHealth.add('database', async () => { throw new Error('down') })
  t.equal((await app.authServeHealth.report()).ready, false)
})

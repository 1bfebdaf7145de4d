import { join } from 'node:path'
import Fastify, { type FastifyInstance } from 'fastify'
import { Counter, register } from 'prom-client'
import t from 'tap'
import { metricsPlugin } from '../../plugins/metrics.ts'
import { authServe } from '../../src/index.ts'
import { cheapPasswords, createTestApp, testSecret, type TestApp } from '../helpers/app.ts'
import { createTestDatabase } from '../helpers/database.ts'
import { goodPassword, post, readMe, signUp } from '../helpers/people.ts'
import { createDatabaseProxy } from '../helpers/proxy.ts'
import { run } from '../helpers/service.ts'
import { until } from '../helpers/until.ts'

/** The value of a time series, `name{label="value"}`; undefined where the text has none. */
function valueOf (text: string, series: string): number | undefined {
  const line = text.split('\n').find(line => line.startsWith(`${series} `))
  return line === undefined ? undefined : Number(line.slice(series.length).trim().replace(/^Nan$/, 'NaN'))
}

const scrape = async (api: TestApp): Promise<string> => (await api.request({ method: 'GET', url: '/metrics' })).body
const requests = (method: string, route: string, status: number): string =>
  `http_request_duration_seconds_count{method="${method}",route="${route}",status_code="${status}"}`

/** A request is measured when its answer was sent, which its client may see first. */
async function untilMeasured (api: TestApp, series: string, count: number): Promise<void> {
  await until(`${series} is ${count}`, async () => valueOf(await scrape(api), series) === count)
}

t.test('GET /metrics', async t => {
  const api = await createTestApp(t)

  t.test('text of Prometheus that nobody stores; HEAD answers without a body', async t => {
    const response = await api.request({ method: 'GET', url: '/metrics' })
    t.equal(response.statusCode, 200)
    t.match(response.headers, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8', 'cache-control': 'no-store' })
    const line = /^(|# (HELP|TYPE) [a-z0-9_]+ \S.*|[a-z0-9_]+(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? \S+)$/
    t.same(response.body.split('\n').filter(text => !line.test(text)), [])
    const series = response.body.split('\n').filter(line => !line.startsWith('#') && line !== '').map(line => line.slice(0, line.lastIndexOf(' ')))
    t.equal(new Set(series).size, series.length, 'each time series once')
    const head = await api.request({ method: 'HEAD', url: '/metrics' })
    t.equal(head.statusCode, 200)
    t.equal(head.body, '')
  })

  t.test('requests by method, pattern of the route and status; unknown paths and methods under one label each', async t => {
    const person = await signUp(api)
    await readMe(api, person.accessToken)
    await readMe(api, 'nonsense')
    for (const path of ['/nowhere/1', '/api/v1/nowhere/2']) await api.request({ method: 'GET', url: path })
    await api.app.inject({ method: 'PROPFIND', url: '/nowhere/3' })
    for (const [series, count] of [
      [requests('GET', '/api/v1/users/me', 200), 1],
      [requests('GET', '/api/v1/users/me', 401), 1],
      [requests('POST', '/api/v1/auth/login', 200), 1],
      [requests('GET', 'unknown', 404), 2],
      [requests('other', 'unknown', 404), 1]
    ] as const) await untilMeasured(api, series, count)
    t.notMatch(await scrape(api), /nowhere|PROPFIND/)
  })

  t.test('the revocation feed: complete, fresh, and one entry more after a logout', async t => {
    const person = await signUp(api)
    const before = await scrape(api)
    t.equal(valueOf(before, 'auth_serve_revocation_feed_loaded'), 1)
    t.equal(valueOf(before, 'auth_serve_revocation_feed_full'), 0)
    t.equal(valueOf(before, 'auth_serve_revocation_feed_connections_total'), 1)
    const staleness = valueOf(before, 'auth_serve_revocation_feed_staleness_seconds') ?? NaN
    t.ok(staleness >= 0 && staleness < 10)
    const entries = valueOf(before, 'auth_serve_revocation_feed_entries') ?? NaN
    await api.request({ method: 'POST', url: '/api/v1/auth/logout', headers: person.authorization })
    t.equal(valueOf(await scrape(api), 'auth_serve_revocation_feed_entries'), entries + 1)
  })

  t.test('verified tokens that were remembered, and those that were not', async t => {
    const person = await signUp(api)
    const counts = (text: string) => ['hits_total', 'misses_total', 'entries'].map(name => valueOf(text, `auth_serve_token_cache_${name}`) ?? NaN)
    const [hits = NaN, misses = NaN, entries = NaN] = counts(await scrape(api))
    for (let i = 0; i < 3; i++) await readMe(api, person.accessToken)
    t.same(counts(await scrape(api)), [hits + 2, misses + 1, entries + 1])
  })

  t.test('the process, and the breaker of the database', async t => {
    const text = await scrape(api)
    t.ok((valueOf(text, 'process_resident_memory_bytes') ?? 0) > 1_000_000)
    t.ok((valueOf(text, 'auth_serve_breaker_successes_total{breaker="database"}') ?? 0) > 0)
    t.ok((valueOf(text, 'auth_serve_audit_oldest_unsealed_seconds') ?? 0) > 0, 'in tests nothing is sealed for an hour')
    t.equal(valueOf(text, 'auth_serve_breaker_state{breaker="database",state="closed"}'), 1)
    t.equal(valueOf(text, 'auth_serve_breaker_state{breaker="database",state="open"}'), 0)
  })

  t.test('no secret, id, address or URL of anybody', async t => {
    const person = await signUp(api, { username: 'canary-name' })
    await readMe(api, person.accessToken)
    await post(api, '/auth/refresh', { refreshToken: person.refreshToken })
    await post(api, '/auth/login', { email: person.email, password: 'canary-password-8431' })
    await api.request({ method: 'GET', url: '/canary-path?token=canary-query', headers: { 'user-agent': 'canary-agent', 'x-request-id': 'canary-request' } })
    await untilMeasured(api, requests('POST', '/api/v1/auth/login', 401), 1)
    const text = await scrape(api)
    for (const value of [person.id, person.email, person.sessionId, person.accessToken, person.refreshToken, goodPassword, testSecret, '127.0.0.1', 'issuer.test', 'canary']) {
      t.notOk(text.includes(value), value)
    }
  })
})

t.test('GET /metrics answers while the database is away, and tells that the feed knows nothing and the breaker opens', async t => {
  const proxy = await createDatabaseProxy(t, await createTestDatabase(t))
  await proxy.cut()
  const api = await createTestApp(t, { breakers: { threshold: 1, resetMs: 60_000 } }, proxy.location)
  for (let i = 0; i < 2; i++) t.equal((await api.request({ method: 'GET', url: '/.well-known/jwks.json' })).statusCode, 503)
  const text = await scrape(api)
  t.equal(valueOf(text, 'auth_serve_revocation_feed_loaded'), 0)
  t.ok(Number.isNaN(valueOf(text, 'auth_serve_revocation_feed_staleness_seconds')))
  t.equal(valueOf(text, 'auth_serve_breaker_state{breaker="database",state="open"}'), 1)
  t.ok((valueOf(text, 'auth_serve_breaker_failures_total{breaker="database"}') ?? 0) >= 1)
  t.ok((valueOf(text, 'auth_serve_breaker_rejections_total{breaker="database"}') ?? 0) >= 1)
})

t.test('metrics: false serves none', async t => {
  const api = await createTestApp(t, { metrics: false })
  const response = await api.request({ method: 'GET', url: '/metrics' })
  t.equal(response.statusCode, 404)
  t.equal(response.json().code, 'NOT_FOUND')
  t.notOk('/metrics' in (await api.app.inject('/docs/json')).json().paths)
})

t.test('two instances in a host that has metrics of its own', async t => {
  const host: FastifyInstance = Fastify()
  t.teardown(async () => {
    register.clear()
    await host.close()
  })
  const own = new Counter({ name: 'http_request_duration_seconds', help: 'a name that we have, too' })
  for (const prefix of ['/first', '/second']) {
    await host.register(authServe, { prefix, database: await createTestDatabase(t), secrets: [testSecret], jwt: { issuer: 'https://issuer.test' }, passwords: cheapPasswords })
  }
  host.get('/mine', async () => own.inc())
  await host.inject('/mine')
  await host.inject('/first/health')
  const textOf = async (prefix: string) => (await host.inject(`${prefix}/metrics`)).body
  await until('the request to the first is measured', async () => valueOf(await textOf('/first'), requests('GET', '/first/health', 200)) === 1)
  const second = await textOf('/second')
  t.notMatch(second, '/first')
  t.equal(valueOf(second, 'auth_serve_revocation_feed_loaded'), 1)
  for (const text of [await textOf('/first'), second]) t.notMatch(text, '/mine')
  t.equal(await register.metrics(), '# HELP http_request_duration_seconds a name that we have, too\n# TYPE http_request_duration_seconds counter\nhttp_request_duration_seconds 1\n')
})

t.test('the plugin alone: under another name, without the process, with bounds of its own', async t => {
  const app = Fastify()
  t.teardown(async () => { await app.close() })
  await app.register(metricsPlugin, { decorator: 'numbers', processMetrics: false, durationBuckets: [1, 0.5] })
  const numbers = app.getDecorator<FastifyInstance['authServeMetrics']>('numbers')
  app.get('/things/:id', async () => 'x')
  await app.inject('/things/1')
  await until('it is measured', async () => valueOf(await numbers.text(), requests('GET', '/things/:id', 200)) === 1)
  const text = await numbers.text()
  t.notMatch(text, /process_|nodejs_/)
  t.same([...text.matchAll(/le="([^"]+)"/g)].map(([, bound]) => bound), ['0.5', '1', '+Inf'])
})

t.test('wrong options stop the start', async t => {
  const app = Fastify()
  t.teardown(async () => { await app.close() })
  await t.rejects(async () => { await app.register(metricsPlugin, { durationBuckets: [], decorator: '' }) }, { message: /\/decorator.*\/durationBuckets/s })
})

t.test('measuring keeps no process from ending', async t => {
  const plugin = JSON.stringify(join(import.meta.dirname, '../../plugins/metrics.js'))
  const { code, stdout, stderr } = await run(['--input-type=module', '--eval', `
    import Fastify from 'fastify'
    import metrics from ${plugin}
    const app = Fastify()
    await app.register(metrics)
    console.log((await app.authServeMetrics.text()).includes('nodejs_eventloop_lag_seconds'))`], {})
  t.same({ code, stdout, stderr }, { code: 0, stdout: 'true\n', stderr: '' })
})

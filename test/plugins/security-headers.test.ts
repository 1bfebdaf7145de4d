import hostHelmet from '@fastify/helmet'
import Fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { docsPlugin } from '../../plugins/docs.ts'
import { errorsPlugin } from '../../plugins/errors.ts'
import { securityHeadersPlugin, type SecurityHeadersOptions } from '../../plugins/security-headers.ts'

async function createApp (t: Test, scopes: Record<string, SecurityHeadersOptions>, prepare?: (app: FastifyInstance) => Promise<void>): Promise<FastifyInstance> {
  const app = Fastify()
  await prepare?.(app)
  for (const [prefix, options] of Object.entries(scopes)) {
    await app.register(async scope => {
      await scope.register(securityHeadersPlugin, options)
      await scope.register(errorsPlugin)
      await scope.register(docsPlugin, { version: '1.0.0' })
      scope.get('/me', async () => ({}))
      scope.get('/bug', async () => { throw new Error('of the test') })
    }, { prefix })
  }
  await app.ready()
  t.teardown(async () => { await app.close() })
  return app
}

const strict = "default-src 'none';frame-ancestors 'none'"

t.test('every answer, errors and unknown paths too, is nothing but data', async t => {
  const app = await createApp(t, { '/p': {} })
  for (const url of ['/p/me', '/p/bug', '/p/nowhere']) {
    const { headers } = await app.inject(url)
    t.match(headers, { 'content-security-policy': strict, 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer', 'x-frame-options': 'DENY' }, url)
    t.notOk(headers['strict-transport-security'], 'only where https is sure')
  }
})

t.test('browsers are told to insist on https where the scope has it', async t => {
  const app = await createApp(t, { '/p': { https: true }, '/q': { https: true, hstsMaxAgeSeconds: 60 } })
  t.equal((await app.inject('/p/me')).headers['strict-transport-security'], 'max-age=31536000')
  t.equal((await app.inject('/q/me')).headers['strict-transport-security'], 'max-age=60')
})

t.test('the docs page has a policy of its own under which all that it needs loads', async t => {
  const app = await createApp(t, { '/p': {} })
  const page = await app.inject('/p/docs/')
  t.equal(page.statusCode, 200)
  const policy = String(page.headers['content-security-policy'])
  t.notMatch(policy, /default-src 'none'/)
  t.match(policy, /script-src 'self'/)
  t.equal(page.headers['x-content-type-options'], 'nosniff')
  t.notMatch(page.body, /<script(?![^>]*\bsrc=)[^>]*>\s*\S/, 'no inline script')
  const assets = [...page.body.matchAll(/(?:src|href)="(\.[^"]+)"/g)].map(([, path]) => new URL(String(path), 'http://x/p/docs/').pathname)
  t.ok(assets.length > 3)
  for (const asset of assets) {
    const response = await app.inject(asset)
    t.equal(response.statusCode, 200, asset)
    t.match(response.headers['content-type'], /javascript|css|image/, asset)
  }
  t.equal((await app.inject('/p/docs/json')).statusCode, 200)
})

t.test('two instances inside a host with @fastify/helmet leave its answers alone', async t => {
  const host = async (app: FastifyInstance): Promise<void> => {
    await app.register(hostHelmet, { enableCSPNonces: true, referrerPolicy: { policy: 'origin' } })
    app.get('/host', async (_request, reply) => ({ nonce: typeof reply.cspNonce.script }))
    app.get('/again', async (_request, reply) => { await reply.helmet({ xFrameOptions: { action: 'deny' } }); return {} })
  }
  const alone = await createApp(t, {}, host)
  const app = await createApp(t, { '/a': { https: true }, '/b': {} }, host)
  const comparable = ({ headers }: { headers: object }): object => Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, name === 'date' ? '' : String(value).replaceAll(/nonce-\w+/g, '')]))
  for (const url of ['/host', '/again']) {
    const [expected, response] = [await alone.inject(url), await app.inject(url)]
    t.same(comparable(response), comparable(expected), url)
    t.equal(response.body, expected.body)
  }
  for (const prefix of ['/a', '/b']) {
    t.match((await app.inject(`${prefix}/me`)).headers, { 'content-security-policy': strict, 'referrer-policy': 'no-referrer' }, prefix)
    t.notMatch((await app.inject(`${prefix}/docs/`)).headers['content-security-policy'], /nonce|default-src 'none'/)
  }
})

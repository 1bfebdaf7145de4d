import hostCors from '@fastify/cors'
import Fastify from 'fastify'
import { createLocalJWKSet, jwtVerify } from 'jose'
import t from 'tap'
import { authServe } from '../../../src/index.ts'
import { createTestApp, testSecret } from '../../helpers/app.ts'
import { createTestDatabase } from '../../helpers/database.ts'
import { signUp } from '../../helpers/people.ts'

t.test('GET /.well-known/jwks.json', async t => {
  const api = await createTestApp(t)
  const url = '/.well-known/jwks.json'
  const response = await api.request({ method: 'GET', url })
  t.equal(response.statusCode, 200)
  t.match(response.headers, { etag: /^"[\w-]{43}"$/, 'cache-control': 'public, max-age=300', 'access-control-allow-origin': '*' })
  t.notMatch(response.body, /"d":|PRIVATE/)

  const { accessToken, id } = await signUp(api)
  const { payload } = await jwtVerify(accessToken, createLocalJWKSet(response.json()), { issuer: 'https://issuer.test', audience: 'auth-serve', typ: 'at+jwt', algorithms: ['ES256'] })
  t.equal(payload.sub, id)

  for (const tag of [response.headers.etag, `W/${response.headers.etag}`, `"other", ${response.headers.etag}`, '*']) {
    const cached = await api.request({ method: 'GET', url, headers: { 'if-none-match': String(tag) } })
    t.equal(cached.statusCode, 304, String(tag))
    t.equal(cached.body, '')
  }
  t.equal((await api.request({ method: 'GET', url, headers: { 'if-none-match': '"other"' } })).statusCode, 200)
})

t.test('the keys are open to all origins, also where the API is to some', async t => {
  const url = '/.well-known/jwks.json'
  for (const cors of [undefined, { origins: ['https://app.example'] }]) {
    const api = await createTestApp(t, { cors })
    for (const origin of ['https://app.example', 'https://anybody.example', 'null']) {
      for (const method of ['GET', 'HEAD'] as const) {
        const response = await api.request({ method, url, headers: { origin } })
        t.equal(response.statusCode, 200)
        t.match(response.headers, { 'access-control-allow-origin': '*', 'access-control-expose-headers': /ETag/, etag: /./ })
        t.notMatch(response.headers.vary, /origin/i, 'one copy in a cache serves all')
      }
      const preflight = await api.app.inject({ method: 'OPTIONS', url, headers: { origin, 'access-control-request-method': 'GET', 'access-control-request-headers': 'if-none-match' } })
      t.equal(preflight.statusCode, 204)
      t.match(preflight.headers, { 'access-control-allow-origin': '*', 'access-control-allow-methods': 'GET, HEAD', 'access-control-allow-headers': /If-None-Match/ })
    }
    const other = await api.app.inject({ method: 'OPTIONS', url: '/api/v1/users/me', headers: { origin: 'https://anybody.example', 'access-control-request-method': 'GET' } })
    t.equal(other.headers['access-control-allow-origin'], undefined, 'the API is not')
    t.equal((await api.request({ method: 'POST', url })).headers.allow, 'GET, HEAD')
  }
})

t.test('the keys are open to all origins beside a host with CORS rules of its own', async t => {
  const host = Fastify()
  t.teardown(async () => { await host.close() })
  await host.register(hostCors, { origin: 'https://host.test', credentials: true })
  await host.register(authServe, { prefix: '/accounts', secrets: [testSecret], database: await createTestDatabase(t), jwt: { issuer: 'https://issuer.test' } })
  const url = '/accounts/.well-known/jwks.json'
  const headers = { origin: 'https://anybody.example', 'access-control-request-method': 'GET' }
  for (const method of ['GET', 'OPTIONS'] as const) {
    const response = await host.inject({ method, url, headers })
    t.equal(response.headers['access-control-allow-origin'], '*', method)
    t.equal(response.headers['access-control-allow-credentials'], undefined)
  }
})

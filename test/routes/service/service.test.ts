import t from 'tap'
import { createTestApp } from '../../helpers/app.ts'
import { post, signUp } from '../../helpers/people.ts'

t.test('service routes', async t => {
  const api = await createTestApp(t)

  t.test('GET / tells name, version and links that work', async t => {
    const response = await api.request({ method: 'GET', url: '/' })
    t.equal(response.statusCode, 200)
    const { name, version, links } = response.json()
    t.match({ name, version }, { name: 'auth-serve', version: /^\d+\.\d+\.\d+/ })
    for (const link of [links.health, links.readiness, links.openapi]) t.equal((await api.app.inject(link)).statusCode, 200, link)
    t.equal(links.api, '/api/v1')
  })

  t.test('GET /health and /readiness are 200 while all is well', async t => {
    t.same((await api.request({ method: 'GET', url: '/health' })).json(), { status: 'ok' })
    const readiness = (await api.request({ method: 'GET', url: '/readiness' })).json()
    const { stalenessSeconds } = readiness.dependencies.revocationFeed
    t.ok(stalenessSeconds >= 0 && stalenessSeconds < 10)
    t.same(readiness, {
      status: 'ready',
      dependencies: { database: { status: 'up' }, schema: { status: 'up' }, signingKeys: { status: 'up' }, revocationFeed: { status: 'up', stalenessSeconds } }
    })
  })

  t.test('404 for an unknown path, 405 with Allow for an unknown method, before body and token', async t => {
    const unknown = await api.request({ method: 'POST', url: '/api/v1/nowhere?password=x', payload: '{', headers: { 'content-type': 'text/plain' } })
    t.equal(unknown.statusCode, 404)
    t.match(unknown.json(), { code: 'NOT_FOUND', instance: '/api/v1/nowhere' })
    for (const [method, url, allow] of [
      ['DELETE', '/api/v1/auth/login', 'POST'],
      ['POST', '/api/v1/users/me', 'DELETE, GET, HEAD, PATCH, PUT'],
      ['PUT', '/health', 'GET, HEAD'],
      ['GET', '/api/v1/auth/register', 'POST']
    ] as const) {
      const response = await api.request({ method, url, payload: '{', headers: { 'content-type': 'text/plain', 'content-encoding': 'gzip' } })
      t.equal(response.statusCode, 405, `${method} ${url}`)
      t.equal(response.headers.allow, allow)
      t.equal(response.json().code, 'METHOD_NOT_ALLOWED')
    }
  })

  t.test('unknown query parameters are refused', async t => {
    for (const url of ['/health?x=1', '/?verbose', '/readiness?a=b']) {
      const response = await api.request({ method: 'GET', url })
      t.equal(response.statusCode, 422, url)
      t.match(response.json().errors[0].path, /^\/query\//)
    }
  })

  t.test('the request id of the caller is kept, any other is made anew', async t => {
    const kept = await api.request({ method: 'GET', url: '/nowhere', headers: { 'x-request-id': 'abc-1.2_3' } })
    t.equal(kept.headers['x-request-id'], 'abc-1.2_3')
    t.equal(kept.json().requestId, 'abc-1.2_3')
    const correlated = await api.request({ method: 'GET', url: '/health', headers: { 'x-correlation-id': 'flow-7' } })
    t.equal(correlated.headers['x-request-id'], 'flow-7')
    const made = await api.request({ method: 'GET', url: '/health', headers: { 'x-request-id': 'no spaces allowed' } })
    t.match(made.headers['x-request-id'], /^[0-9a-f-]{36}$/)
  })

  t.test('malformed input is 400, 413 or 415, never more', async t => {
    const register = async (payload: string | Buffer, headers: Record<string, string> = {}) =>
      await api.request({ method: 'POST', url: '/api/v1/auth/register', payload, headers: { 'content-type': 'application/json', ...headers } })
    for (const body of ['', '{', '[', 'null x', '{"a":1,"a":2}', '{"a":1,"\\u0061":2}', '{"__proto__":{}}', '{"constructor":{"prototype":{}}}', '['.repeat(100_000) + ']'.repeat(100_000), Buffer.from([0x22, 0xff, 0x22])]) {
      const response = await register(body)
      t.equal(response.statusCode, 400, String(body).slice(0, 40))
      t.equal(response.json().code, 'MALFORMED_REQUEST')
    }
    t.equal((await register(`"${'x'.repeat(2_000_000)}"`)).json().code, 'PAYLOAD_TOO_LARGE')
    for (const [name, value] of [['content-type', 'text/plain'], ['content-type', 'application/json; charset=latin1'], ['content-encoding', 'gzip']] as const) {
      const response = await register('{}', { [name]: value })
      t.equal(response.statusCode, 415)
      t.equal(response.json().code, 'UNSUPPORTED_MEDIA_TYPE')
    }
  })

  t.test('a malformed URL is a problem, too', async t => {
    const response = await api.app.inject({ method: 'GET', url: '/%zz' })
    t.equal(response.statusCode, 400)
    t.match(response.json(), { code: 'MALFORMED_REQUEST', instance: '/%zz', requestId: /./ })
    t.equal(response.headers['content-type'], 'application/problem+json; charset=utf-8')
    t.equal(response.headers['x-request-id'], response.json().requestId)
  })

  t.test('no secret of a request reaches the log', async t => {
    const person = await signUp(api)
    const canary = 'canary-password-8431'
    await post(api, '/auth/login', { email: person.email, password: canary })
    await post(api, '/auth/register', { email: 'x', password: canary, [canary]: canary })
    await api.request({ method: 'GET', url: `/api/v1/users/me?token=${canary}`, headers: person.authorization })
    await api.request({ method: 'GET', url: '/health', headers: { authorization: `Bearer ${canary}.${canary}.${canary}` } })
    const text = api.log.text()
    t.notMatch(text, canary)
    t.notOk(text.includes(person.accessToken))
    t.match(text, /authn_login_fail/)
  })
})

t.test('GET /docs is Swagger UI under a strict policy', async t => {
  const api = await createTestApp(t)
  t.equal((await api.app.inject('/docs/json')).statusCode, 200)
  const page = await api.app.inject('/docs/')
  t.match(page.headers['content-security-policy'], /default-src 'self'/)
})

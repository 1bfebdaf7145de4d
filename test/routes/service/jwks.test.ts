import { createLocalJWKSet, jwtVerify } from 'jose'
import t from 'tap'
import { createTestApp } from '../../helpers/app.ts'
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

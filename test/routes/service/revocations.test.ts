import { createHash } from 'node:crypto'
import t from 'tap'
import { createTestApp, type TestApp } from '../../helpers/app.ts'
import { connect, createTestDatabase } from '../../helpers/database.ts'
import { post, signUp } from '../../helpers/people.ts'
import { createDatabaseProxy } from '../../helpers/proxy.ts'
import { until } from '../../helpers/until.ts'

const url = '/.well-known/revocations.json'
const digest = (text: string): string => createHash('sha256').update(text).digest('base64url').slice(0, 22)
const read = async (api: TestApp, headers: Record<string, string> = {}) => await api.request({ method: 'GET', url, headers })

t.test('GET /.well-known/revocations.json: 200, and 304 while nothing changes', async t => {
  const api = await createTestApp(t)
  const person = await signUp(api)
  const before = await read(api)
  t.equal(before.statusCode, 200)
  t.match(before.headers, { etag: /^"[\w-]{43}"$/, age: /^\d{1,2}$/, 'cache-control': 'no-cache', 'access-control-allow-origin': '*', 'content-type': 'application/json; charset=utf-8' })
  t.same(before.json(), { iss: 'https://issuer.test', sessions: [], users: [] })
  const etag = String(before.headers.etag)
  for (const tag of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
    const cached = await read(api, { 'if-none-match': tag })
    t.equal(cached.statusCode, 304, tag)
    t.equal(cached.body, '')
    t.match(cached.headers, { etag, 'cache-control': 'no-cache' })
  }
  t.equal((await api.app.inject({ method: 'HEAD', url })).statusCode, 200)

  t.test('a logout changes list and ETag; digests tell, ids do not', async t => {
    await post(api, '/auth/logout', {}, person.authorization)
    const after = await read(api, { 'if-none-match': etag })
    t.equal(after.statusCode, 200)
    t.not(after.headers.etag, etag)
    t.same(after.json(), { iss: 'https://issuer.test', sessions: [digest(`session:${person.sessionId}`)], users: [] })
    t.notOk(after.body.includes(person.sessionId) || after.body.includes(person.id))
  })

  t.test('changed rights are told with the version from which tokens are taken', async t => {
    const other = await signUp(api)
    const sql = connect(api.database)
    t.teardown(async () => { await sql.end() })
    await sql`update users set roles = '{user,editor}' where id = ${other.id}`
    await until('the change is heard', async () => (await read(api)).json().users.length > 0)
    const after = await read(api)
    t.same(after.json().users, [{ digest: digest(`user:${other.id}`), version: 2 }])
    t.notOk(after.body.includes(other.id))
  })
})

t.test('the list is open to all origins, also where the API is to some', async t => {
  for (const cors of [undefined, { origins: ['https://app.example'] }]) {
    const api = await createTestApp(t, { cors })
    for (const origin of ['https://app.example', 'https://anybody.example', 'null']) {
      const response = await read(api, { origin })
      t.equal(response.statusCode, 200)
      t.match(response.headers, { 'access-control-allow-origin': '*', 'access-control-expose-headers': 'ETag, Age, Retry-After, X-Request-Id' })
      t.notMatch(response.headers.vary, /origin/i, 'one copy in a cache serves all')
      const preflight = await api.app.inject({ method: 'OPTIONS', url, headers: { origin, 'access-control-request-method': 'GET', 'access-control-request-headers': 'if-none-match' } })
      t.equal(preflight.statusCode, 204)
      t.match(preflight.headers, { 'access-control-allow-origin': '*', 'access-control-allow-methods': 'GET, HEAD', 'access-control-allow-headers': /If-None-Match/ })
    }
  }
})

t.test('instances that know the same answer the same, in whatever order they heard of it', async t => {
  const first = await createTestApp(t)
  const people = await Promise.all(Array.from({ length: 5 }, async () => await signUp(first)))
  for (const person of people) await post(first, '/auth/logout', {}, person.authorization)
  const second = await createTestApp(t, {}, first.database)
  t.equal((await read(first)).json().sessions.length, 5)
  t.equal((await read(second)).body, (await read(first)).body)
  t.equal((await read(second)).headers.etag, (await read(first)).headers.etag)
})

t.test('503 once the feed is too stale, and by itself again after it', async t => {
  const location = await createTestDatabase(t)
  const proxy = await createDatabaseProxy(t, location)
  const api = await createTestApp(t, { revocation: { maxStalenessSeconds: 1, heartbeatMs: 100 } }, proxy.location)
  t.equal((await read(api)).statusCode, 200)
  await proxy.cut()
  await until('it is too stale', async () => (await api.app.inject(url)).statusCode === 503)
  const refused = await read(api, { origin: 'https://anybody.example' })
  t.match(refused.json(), { code: 'SERVICE_UNAVAILABLE' })
  t.match(refused.headers, { 'retry-after': /./, 'access-control-allow-origin': '*', 'access-control-expose-headers': /Retry-After/ }, 'pages can read that, too')
  await proxy.restore()
  await until('it is fresh again', async () => (await api.app.inject(url)).statusCode === 200)
})

t.test('503 while more was revoked than the instance holds', async t => {
  const api = await createTestApp(t, { revocation: { maxEntries: 1 } })
  for (let i = 0; i < 2; i++) await post(api, '/auth/logout', {}, (await signUp(api)).authorization)
  t.match((await read(api)).json(), { status: 503, code: 'SERVICE_UNAVAILABLE', detail: /More was revoked/ })
})

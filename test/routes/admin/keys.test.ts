import t from 'tap'
import { createTestApp } from '../../helpers/app.ts'
import { connect } from '../../helpers/database.ts'
import { kidOf, listKeys, revokeKey, rotateKeys, signUpAdmin } from '../../helpers/keys.ts'
import { post, readMe, signUp } from '../../helpers/people.ts'

t.test('the keys of the service', async t => {
  const api = await createTestApp(t)
  const sql = connect(api.database)
  t.teardown(async () => { await sql.end() })
  const admin = await signUpAdmin(api)
  const person = await signUp(api)
  const routes = [['GET', '/admin/keys'], ['POST', '/admin/keys/rotate'], ['POST', `/admin/keys/${kidOf(person.accessToken)}/revoke`]] as const
  const call = async (method: 'GET' | 'POST', path: string, headers?: Record<string, string>) => await api.request({ method, url: `/api/v1${path}`, headers })

  t.test('are for administrators', async t => {
    for (const [method, path] of routes) {
      t.match((await call(method, path)).json(), { status: 401, code: 'TOKEN_MISSING' })
      t.match((await call(method, path, person.authorization)).json(), { status: 403, code: 'FORBIDDEN' })
    }
    t.equal((await readMe(api, person.accessToken)).statusCode, 200, 'nothing was revoked')
    t.equal((await listKeys(api, admin)).length, 1, 'nothing was made')
  })

  t.test('GET /admin/keys: without private parts', async t => {
    const response = await call('GET', '/admin/keys', admin.authorization)
    t.equal(response.statusCode, 200)
    const kid = kidOf(admin.accessToken)
    t.match(response.json(), { items: [{ kid, algorithm: 'ES256', state: 'active', source: 'database', retiresAt: null, expiresAt: null, revokedAt: null }], nextCursor: null })
    t.same(Object.keys(response.json().items[0]), ['kid', 'algorithm', 'state', 'source', 'createdAt', 'activatesAt', 'retiresAt', 'expiresAt', 'revokedAt'])
    const [row] = await sql`select private_key, public_key from signing_keys`
    for (const secret of [row?.private_key, 'PRIVATE', 'BEGIN']) t.notOk(response.body.includes(secret))
    for (const query of ['limit=0', 'limit=201', 'cursor=x', 'all=1']) t.equal((await call('GET', `/admin/keys?${query}`, admin.authorization)).statusCode, 422, query)
  })

  t.test('GET /admin/keys: page by page', async t => {
    const paged = await createTestApp(t)
    const person = await signUpAdmin(paged)
    const page = async (query: string) => (await paged.request({ method: 'GET', url: `/api/v1/admin/keys?limit=1${query}`, headers: person.authorization })).json()
    for (let n = 0; n < 2; n++) await rotateKeys(paged, person)
    const seen: string[] = []
    for (let cursor: string | null = ''; cursor !== null;) {
      const { items, nextCursor } = await page(cursor === '' ? '' : `&cursor=${cursor}`)
      t.equal(items.length, 1)
      seen.push(items[0].kid)
      cursor = nextCursor
    }
    t.same(seen, (await listKeys(paged, person)).map(({ kid }) => kid))
    t.equal(new Set(seen).size, 3)
    const { nextCursor } = await page('')
    const other = await paged.request({ method: 'GET', url: `/api/v1/admin/breakers?cursor=${nextCursor}`, headers: person.authorization })
    t.match(other.json(), { status: 422, errors: [{ path: '/query/cursor' }] })
  })

  t.test('POST /admin/keys/rotate takes no body', async t => {
    t.match((await post(api, '/admin/keys/rotate', { algorithm: 'none' }, admin.authorization)).json(), { status: 422, code: 'INVALID_INPUT' })
    t.equal((await post(api, '/admin/keys/rotate', {}, admin.authorization)).statusCode, 201)
  })

  t.test('POST /admin/keys/{kid}/revoke: a key that nobody has is 404 or 422, and never 500', async t => {
    const [first] = await listKeys(api, admin)
    for (const kid of ['unknown', '../../etc/passwd', '..\\..\\x', "' or '1'='1", "'; drop table signing_keys; --", '%', '__proto__', 'constructor', '🔑', '-', 'a'.repeat(256)]) {
      const response = await revokeKey(api, admin, kid)
      t.match(response.json(), { status: 404, code: 'NOT_FOUND' }, kid)
    }
    for (const kid of ['\0', 'a\0b', 'a\nb', 'a\r\nSet-Cookie: x', '\u001b[2J', '\u009f']) {
      const response = await revokeKey(api, admin, kid)
      t.match(response.json(), { status: 422, code: 'INVALID_INPUT', errors: [{ path: '/params/kid' }] }, JSON.stringify(kid))
    }
    for (const raw of ['%00', '%ed%a0%80', '%c0%ae', '%', 'a'.repeat(257), 'a'.repeat(15_000), '', '.', '%2e%2e', 'x?x=1', "unknown'"]) {
      const response = await call('POST', `/admin/keys/${raw}/revoke`, admin.authorization)
      t.ok(response.statusCode >= 400 && response.statusCode < 500, `${raw.slice(0, 10)}: ${response.statusCode}`)
      t.match(response.headers['content-type'], /^application\/problem\+json/)
    }
    t.ok((await listKeys(api, admin)).some(({ kid }) => kid === first?.kid))
    t.equal((await readMe(api, admin.accessToken)).statusCode, 200)
    t.same(api.log.lines().filter(({ level }) => level === 'error' || level === 'fatal'), [], 'nothing of it is an error of ours')
  })

  t.test('who changes keys stands in the trail and in the log', async t => {
    const { kid } = (await rotateKeys(api, admin)).json()
    t.equal((await revokeKey(api, admin, kid)).statusCode, 204)
    const events = await sql`select actor_id, request_id, details from audit_events where type = 'authz_admin' and details ->> 'kid' = ${kid} order by id`
    t.match([...events], [{ actor_id: admin.id, request_id: /./, details: { action: 'key_rotated' } }, { actor_id: admin.id, details: { action: 'key_revoked' } }])
    t.match(api.log.lines().filter(line => line.event === 'authz_admin').slice(-2), [{ actorId: admin.id, sessionId: admin.sessionId }, { actorId: admin.id }])
  })
})

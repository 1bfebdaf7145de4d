import { generateKeyPairSync, sign } from 'node:crypto'
import { decodeJwt, decodeProtectedHeader, SignJWT, UnsecuredJWT } from 'jose'
import t from 'tap'
import { createTestApp, type TestApp } from '../../helpers/app.ts'
import { connect } from '../../helpers/database.ts'
import { newEmail, signUp, type Person } from '../../helpers/people.ts'
import { until } from '../../helpers/until.ts'

const me = '/api/v1/users/me'
const base64url = (value: unknown): string => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
const readMe = async (api: TestApp, token: string) => await api.request({ method: 'GET', url: me, headers: { authorization: `Bearer ${token}` } })

t.test('GET /users/me', async t => {
  const api = await createTestApp(t)
  const sql = connect(api.database)
  t.teardown(async () => { await sql.end() })

  t.test('200 with the signed-in person', async t => {
    const person = await signUp(api, { username: 'reader' })
    const response = await readMe(api, person.accessToken)
    t.equal(response.statusCode, 200)
    t.match(response.json(), { id: person.id, email: person.email, username: 'reader', lastLoginAt: /Z$/ })
  })

  t.test('HEAD answers as GET does, without a body', async t => {
    const person = await signUp(api)
    const response = await api.request({ method: 'HEAD', url: me, headers: person.authorization })
    t.equal(response.statusCode, 200)
    t.equal(response.body, '')
  })

  t.test('401 TOKEN_MISSING without a bearer token', async t => {
    for (const headers of [{}, { authorization: 'Basic YTpi' }]) {
      const response = await api.request({ method: 'GET', url: me, headers })
      t.equal(response.statusCode, 401)
      t.equal(response.json().code, 'TOKEN_MISSING')
      t.equal(response.headers['www-authenticate'], 'Bearer')
    }
  })

  t.test('401 TOKEN_INVALID for whatever is no token of ours, and never 500', async t => {
    const person = await signUp(api)
    const [header = '', payload = '', signature = ''] = person.accessToken.split('.')
    const { kid } = decodeProtectedHeader(person.accessToken)
    const claims = decodeJwt(person.accessToken)
    const [key] = await sql`select public_key from signing_keys`
    const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
    const head = { alg: 'ES256', typ: 'at+jwt', kid }
    const forged = async (protectedHeader: object) => await new SignJWT(claims).setProtectedHeader({ alg: 'ES256', ...protectedHeader }).sign(stranger)
    const der = sign('sha256', Buffer.from(`${header}.${payload}`), stranger).toString('base64url')
    const hostile = {
      'alg none': new UnsecuredJWT(claims).encode(),
      'alg nOnE': `${base64url({ ...head, alg: 'nOnE' })}.${payload}.`,
      'HS256 keyed with the public key': await new SignJWT(claims).setProtectedHeader({ alg: 'HS256', typ: 'at+jwt', kid: String(kid) }).sign(Buffer.from(key?.public_key)),
      'a stranger\'s key under our kid': await forged(head),
      'embedded jwk': await forged({ ...head, jwk: { kty: 'EC', crv: 'P-256', x: 'x', y: 'y' } }),
      jku: await forged({ ...head, jku: 'https://attacker.test/jwks.json' }),
      'kid traversal': await forged({ ...head, kid: '../../etc/passwd' }),
      'kid array': `${base64url({ ...head, kid: [kid] })}.${payload}.${signature}`,
      'other header order': `${base64url({ typ: 'at+jwt', alg: 'ES256', kid })}.${payload}.${signature}`,
      crit: `${base64url({ ...head, crit: ['exp'] })}.${payload}.${signature}`,
      'b64 false': `${base64url({ ...head, b64: false, crit: ['b64'] })}.${payload}.${signature}`,
      'empty signature': `${header}.${payload}.`,
      'no signature': `${header}.${payload}`,
      'DER signature': `${header}.${payload}.${der}`,
      'r = s = 0': `${header}.${payload}.${Buffer.alloc(64).toString('base64url')}`,
      padding: `${person.accessToken}==`,
      'other bits in the last character': `${header}.${payload}.${signature.slice(0, -1)}${String.fromCharCode(signature.charCodeAt(85) + 1)}`,
      'four segments': `${person.accessToken}.x`,
      'five segments': `${header}.${payload}.${signature}.x.y`,
      'array payload': `${header}.${base64url([])}.${signature}`,
      'changed payload': `${header}.${base64url({ ...claims, roles: ['admin'] })}.${signature}`,
      'not base64url': `${header}.${payload}.!!!`,
      text: 'token',
      spaces: `${person.accessToken} ${person.accessToken}`,
      'very long': 'a'.repeat(8000)
    }
    for (const [name, token] of Object.entries(hostile)) {
      const response = await readMe(api, token)
      t.equal(response.statusCode, 401, name)
      t.equal(response.json().code, 'TOKEN_INVALID', name)
      t.equal(response.headers['www-authenticate'], 'Bearer error="invalid_token"', name)
    }
    t.equal((await readMe(api, person.accessToken)).statusCode, 200)
  })

  t.test('401 SESSION_REVOKED once the session ended or its user was disabled or deleted', async t => {
    const ends: ((person: Person) => Promise<unknown>)[] = [
      async ({ sessionId }) => await sql`update sessions set revoked_at = now() where id = ${sessionId}`,
      async ({ sessionId }) => await sql`delete from sessions where id = ${sessionId}`,
      async ({ id }) => await sql`update users set is_active = false where id = ${id}`,
      async ({ id }) => await sql`update users set deleted_at = now() where id = ${id}`
    ]
    for (const end of ends) {
      const person = await signUp(api)
      await end(person)
      await until('the tokens are refused', async () => (await readMe(api, person.accessToken)).json().code === 'SESSION_REVOKED')
      t.equal((await readMe(api, person.accessToken)).statusCode, 401)
    }
  })

  t.test('401 TOKEN_STALE once the rights changed', async t => {
    const person = await signUp(api)
    await sql`update users set authz_version = authz_version + 1 where id = ${person.id}`
    await until('the token is stale', async () => (await readMe(api, person.accessToken)).json().code === 'TOKEN_STALE')
    t.equal((await readMe(api, person.accessToken)).statusCode, 401)
  })
})

t.test('GET /users/me: tokens of another issuer, audience or time', async t => {
  const api = await createTestApp(t)
  for (const jwt of [{ issuer: 'https://other.test' }, { issuer: 'https://issuer.test', audience: 'other' }]) {
    const other = await createTestApp(t, { jwt }, api.database)
    const person = await signUp(other)
    t.equal((await readMe(other, person.accessToken)).statusCode, 200)
    t.equal((await readMe(api, person.accessToken)).json().code, 'TOKEN_INVALID')
  }
  const brief = await createTestApp(t, { sessions: { accessTtlSeconds: 5 } }, api.database)
  const person = await signUp(brief)
  const [wallClock, monotonic] = [Date.now, performance.now.bind(performance)]
  t.teardown(() => { Object.assign(Date, { now: wallClock }); performance.now = monotonic })
  for (const jump of [-3_600_000, 3_600_000]) {
    Date.now = () => wallClock() + jump
    t.equal((await readMe(brief, person.accessToken)).statusCode, 200, 'a jump of the wall clock changes nothing')
  }
  Date.now = wallClock
  performance.now = () => monotonic() + 6000
  const response = await readMe(brief, person.accessToken)
  t.equal(response.statusCode, 401)
  t.equal(response.json().code, 'TOKEN_EXPIRED')
  t.equal(response.headers['www-authenticate'], 'Bearer error="invalid_token"')
})

t.test('PATCH and PUT /users/me', async t => {
  const api = await createTestApp(t)
  const sql = connect(api.database)
  t.teardown(async () => { await sql.end() })
  const change = async (person: Person, payload: object, method: 'PATCH' | 'PUT' = 'PATCH') =>
    await api.request({ method, url: me, payload, headers: person.authorization })

  t.test('200: absent is unchanged, null clears', async t => {
    const person = await signUp(api, { username: 'before', firstName: 'Ada', lastName: 'Byron' })
    for (const method of ['PATCH', 'PUT'] as const) {
      const response = await change(person, { username: `after-${method}`, lastName: null }, method)
      t.equal(response.statusCode, 200)
      t.match(response.json(), { id: person.id, username: `after-${method}`, firstName: 'Ada', lastName: null })
    }
    const cleared = (await change(person, { username: null })).json()
    t.equal(cleared.username, null)
    t.ok(cleared.updatedAt > cleared.createdAt)
    const events = await sql`select details from audit_events where target_id = ${person.id} and type = 'user_updated'`
    t.same(events.map(event => event.details), [{ changed: ['username', 'lastName'] }, { changed: ['username', 'lastName'] }, { changed: ['username'] }])
  })

  t.test('an empty change changes nothing', async t => {
    const person = await signUp(api)
    const before = (await api.request({ method: 'GET', url: me, headers: person.authorization })).json()
    t.same((await change(person, {})).json(), before)
  })

  t.test('a username that was let go is free for somebody else', async t => {
    const [first, second] = [await signUp(api, { username: 'handed-on' }), await signUp(api)]
    t.equal((await change(second, { username: 'Handed-On' })).statusCode, 409)
    await change(first, { username: null })
    t.equal((await change(second, { username: 'Handed-On' })).json().username, 'Handed-On')
  })

  t.test('409 for a taken username, nothing else is changed', async t => {
    await signUp(api, { username: 'occupied' })
    const person = await signUp(api, { firstName: 'Ada' })
    const response = await change(person, { username: 'OCCUPIED', firstName: 'Eve' })
    t.equal(response.statusCode, 409)
    t.match(response.json(), { code: 'USER_ALREADY_EXISTS', errors: [{ path: '/body/username', code: 'taken' }] })
    t.equal((await api.request({ method: 'GET', url: me, headers: person.authorization })).json().firstName, 'Ada')
  })

  t.test('422 for fields that are wrong or not for this route', async t => {
    const person = await signUp(api)
    const response = await change(person, { username: 'a', firstName: 'x'.repeat(101), email: newEmail(), roles: ['admin'], password: 'x' })
    t.equal(response.statusCode, 422)
    t.same(response.json().errors.map((error: { path: string }) => error.path).sort(), ['/body/email', '/body/firstName', '/body/password', '/body/roles', '/body/username'])
    t.equal((await change(person, [])).statusCode, 422)
  })

  t.test('401 comes before what was sent is judged', async t => {
    for (const payload of ['{', '{"roles":["admin"]}']) {
      const response = await api.request({ method: 'PATCH', url: me, payload, headers: { 'content-type': 'application/json' } })
      t.equal(response.statusCode, 401)
    }
  })

  t.test('two changes at once to one username: one wins', async t => {
    const people = await Promise.all(Array.from({ length: 5 }, async () => await signUp(api)))
    const statuses = (await Promise.all(people.map(async person => await change(person, { username: 'contested' })))).map(response => response.statusCode)
    t.same(statuses.sort(), [200, 409, 409, 409, 409])
  })
})

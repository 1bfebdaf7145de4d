import { randomBytes } from 'node:crypto'
import t from 'tap'
import { createTestApp } from '../../helpers/app.ts'
import { connect, createTestDatabase } from '../../helpers/database.ts'
import { kidOf, revokeKey, signUpAdmin } from '../../helpers/keys.ts'
import { bearer, post, signIn, signUp } from '../../helpers/people.ts'
import { createDatabaseProxy } from '../../helpers/proxy.ts'
import { until } from '../../helpers/until.ts'

t.test('POST /auth/introspect', async t => {
  const api = await createTestApp(t)
  const sql = connect(api.database)
  t.teardown(async () => { await sql.end() })
  const admin = await signUpAdmin(api)
  const introspect = async (token: unknown, extra: object = {}) => await post(api, '/auth/introspect', { token, ...extra }, admin.authorization)

  t.test('200 with the claims of a live access token', async t => {
    const person = await signUp(api)
    const response = await introspect(person.accessToken)
    t.equal(response.statusCode, 200)
    const claims = JSON.parse(Buffer.from(person.accessToken.split('.')[1] ?? '', 'base64url').toString())
    t.same(response.json(), { active: true, token_type: 'Bearer', ...claims })
    t.match(response.json(), { iss: 'https://issuer.test', aud: 'auth-serve', sub: person.id, client_id: 'auth-serve', sid: person.sessionId, ver: 1, roles: ['user'], amr: ['pwd'] })
    t.equal((await introspect(person.accessToken, { token_type_hint: 'refresh_token' })).json().active, true, 'a hint is ignored')
  })

  t.test('200 { active: false } for whatever is none', async t => {
    const [person, gone, stale] = [await signUp(api), await signUp(api), await signUp(api)]
    const [header = '', payload = '', signature = ''] = person.accessToken.split('.')
    const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const foreign = await createTestApp(t, { jwt: { issuer: 'https://issuer.test' } })
    t.equal((await post(api, '/auth/logout', {}, gone.authorization)).statusCode, 204)
    await sql`update users set authz_version = authz_version + 1 where id = ${stale.id}`
    await until('its rights changed', async () => (await introspect(stale.accessToken)).json().active === false)
    const tokens = {
      'of an ended session': gone.accessToken,
      'of other rights': stale.accessToken,
      'of another key': (await signUp(foreign)).accessToken,
      'a refresh token': person.refreshToken,
      'another signature': `${header}.${payload}.${signature.slice(0, -4)}AAAA`,
      'no signature': `${header}.${payload}.`,
      'alg none': `${encode({ alg: 'none', typ: 'at+jwt' })}.${payload}.`,
      'with a prefix': `Bearer ${person.accessToken}`,
      'with white space': `${person.accessToken} `,
      nothing: '',
      text: 'garbage',
      'a NUL': '\0',
      'a lone surrogate': '\ud800',
      dots: '.'.repeat(16_384),
      'random bytes': randomBytes(8000).toString('base64')
    }
    for (const [name, token] of Object.entries(tokens)) {
      const response = await introspect(token)
      t.equal(response.statusCode, 200, name)
      t.same(response.json(), { active: false }, name)
    }
    t.equal((await introspect(person.accessToken)).json().active, true)
  })

  t.test('200 { active: false } once it has expired', async t => {
    const brief = await createTestApp(t, { sessions: { accessTtlSeconds: 5 } }, api.database)
    const { accessToken } = await signUp(brief)
    t.equal((await introspect(accessToken)).json().active, true)
    await until('it has expired', async () => (await introspect(accessToken)).json().active === false)
  })

  t.test('422 and the like for what is no question', async t => {
    for (const body of [{}, { token: 1 }, { token: null }, { token: 'x', other: 1 }, { token: 'x'.repeat(16_385) }, { token: 'x', token_type_hint: 'x'.repeat(65) }]) {
      t.match((await post(api, '/auth/introspect', body, admin.authorization)).json(), { status: 422, code: 'INVALID_INPUT' })
    }
    const form = await post(api, '/auth/introspect', 'token=x', { ...admin.authorization, 'content-type': 'application/x-www-form-urlencoded' })
    t.equal(form.statusCode, 415)
  })

  t.test('is for those who have the permission', async t => {
    const person = await signUp(api)
    const ask = async (headers: Record<string, string>) => (await post(api, '/auth/introspect', { token: person.accessToken }, headers)).json()
    t.match(await ask({}), { status: 401, code: 'TOKEN_MISSING' })
    t.match(await ask(person.authorization), { status: 403, code: 'FORBIDDEN' })
    t.match(await ask(bearer('garbage')), { status: 401, code: 'TOKEN_INVALID' })
  })

  t.test('never logs the token', async t => {
    const canary = await signUp(api)
    await introspect(canary.accessToken)
    await introspect(canary.refreshToken)
    await introspect(canary.accessToken, { other: canary.accessToken })
    await introspect([canary.accessToken])
    await post(api, '/auth/introspect', `{"token":"${canary.accessToken}"`, admin.authorization)
    await post(api, `/auth/introspect?token=${canary.accessToken}`, { token: 'x' }, admin.authorization)
    for (const token of [canary.accessToken, canary.refreshToken]) {
      for (const part of token.split('.').slice(1).filter(({ length }) => length > 20)) t.notOk(api.log.text().includes(part))
    }
  })

  t.test('{ active: false } once the key is revoked', async t => {
    const person = await signUp(api)
    t.equal((await revokeKey(api, admin, kidOf(person.accessToken))).statusCode, 204)
    const again = await signIn(api, admin.email)
    t.same((await post(api, '/auth/introspect', { token: person.accessToken }, again.authorization)).json(), { active: false })
  })
})

t.test('POST /auth/introspect: 503 while it cannot be known, and never { active: false }', async t => {
  const location = await createTestDatabase(t)
  const proxy = await createDatabaseProxy(t, location)
  const api = await createTestApp(t, { revocation: { maxStalenessSeconds: 1, heartbeatMs: 100 } }, proxy.location)
  const admin = await signUpAdmin(api)
  const ask = async (token: string) => await post(api, '/auth/introspect', { token }, admin.authorization)
  t.equal((await ask(admin.accessToken)).json().active, true)
  await proxy.cut()
  await until('it is too stale to tell', async () => {
    const response = await ask(admin.accessToken)
    if (response.statusCode === 200) t.equal(response.json().active, true)
    return response.statusCode === 503
  })
  await proxy.restore()
  await until('it can tell again', async () => (await ask(admin.accessToken)).statusCode === 200)
})

import t from 'tap'
import { createTestApp } from '../../helpers/app.ts'
import { connect } from '../../helpers/database.ts'
import { bearer, post, readMe, refresh, signIn, signUp } from '../../helpers/people.ts'

t.test('POST /auth/logout', async t => {
  const api = await createTestApp(t)
  const sql = connect(api.database)
  t.teardown(async () => { await sql.end() })
  const logout = async (headers: Record<string, string>, payload?: string) => await api.request({ method: 'POST', url: '/api/v1/auth/logout', headers, payload })
  const json = { 'content-type': 'application/json' }

  t.test('204 by bearer: access and refresh token of this session die, others live', async t => {
    const person = await signUp(api)
    const elsewhere = await signIn(api, person.email)
    t.equal((await logout(person.authorization)).statusCode, 204)
    t.equal((await readMe(api, person.accessToken)).json().code, 'SESSION_REVOKED')
    t.equal((await refresh(api, person.refreshToken)).json().code, 'REFRESH_TOKEN_INVALID')
    t.equal((await readMe(api, elsewhere.accessToken)).statusCode, 200)
    const events = await sql`select details, session_id from audit_events where type = 'authn_token_revoked' and target_id = ${person.id}`
    t.same([...events], [{ details: { reason: 'logout' }, session_id: person.sessionId }])
  })

  t.test('204 by refresh token, with no access token or an expired one, also by an older token', async t => {
    for (const headers of [json, { ...json, ...bearer('expired.or.wrong') }]) {
      const person = await signUp(api)
      await refresh(api, person.refreshToken)
      t.equal((await logout(headers, JSON.stringify({ refreshToken: person.refreshToken }))).statusCode, 204)
      t.equal((await readMe(api, person.accessToken)).json().code, 'SESSION_REVOKED')
    }
  })

  t.test('204 for both: the session of either ends', async t => {
    const [person, other] = [await signUp(api), await signUp(api)]
    for (const refreshToken of ['no token', other.refreshToken]) {
      const { accessToken, authorization } = await signIn(api, person.email)
      t.equal((await logout({ ...json, ...authorization }, JSON.stringify({ refreshToken }))).statusCode, 204)
      t.equal((await readMe(api, accessToken)).json().code, 'SESSION_REVOKED')
    }
    t.equal((await readMe(api, other.accessToken)).json().code, 'SESSION_REVOKED')
  })

  t.test('204 for a refresh token that is not live', async t => {
    const person = await signUp(api)
    const body = JSON.stringify({ refreshToken: person.refreshToken })
    for (const payload of [body, body, JSON.stringify({ refreshToken: 'no token' })]) t.equal((await logout(json, payload)).statusCode, 204)
  })

  t.test('401 TOKEN_MISSING when neither is sent, 401 for a bad bearer alone', async t => {
    for (const [headers, payload] of [[{}, undefined], [json, undefined], [json, '{}']] as const) t.equal((await logout(headers, payload)).json().code, 'TOKEN_MISSING')
    t.equal((await logout(bearer('x.y.z'))).json().code, 'TOKEN_INVALID')
  })

  t.test('400 and 422 for a body that is wrong', async t => {
    t.equal((await logout(json, '{')).statusCode, 400)
    for (const payload of ['{"refreshToken":1}', '{"token":"x"}', '[]']) t.equal((await logout(json, payload)).statusCode, 422, payload)
  })
})

t.test('POST /auth/logout-all ends every session of the user and of nobody else', async t => {
  const api = await createTestApp(t)
  const [person, other] = [await signUp(api), await signUp(api)]
  const elsewhere = await signIn(api, person.email)
  const response = await api.request({ method: 'POST', url: '/api/v1/auth/logout-all', headers: { ...person.authorization, 'content-type': 'application/json' } })
  t.equal(response.statusCode, 204)
  for (const { accessToken, refreshToken } of [person, elsewhere]) {
    t.equal((await readMe(api, accessToken)).json().code, 'SESSION_REVOKED')
    t.equal((await refresh(api, refreshToken)).statusCode, 401)
  }
  t.equal((await readMe(api, other.accessToken)).statusCode, 200)
  t.equal((await api.request({ method: 'POST', url: '/api/v1/auth/logout-all' })).json().code, 'TOKEN_MISSING')
})

t.test('POST /auth/reauthenticate', async t => {
  const api = await createTestApp(t, { login: { maxFailures: 3 } })
  const sql = connect(api.database)
  t.teardown(async () => { await sql.end() })

  t.test('200 with new tokens of the same session and a new auth_time', async t => {
    const person = await signUp(api)
    await sql`update sessions set auth_time = auth_time - interval '1 hour' where id = ${person.sessionId}`
    const response = await post(api, '/auth/reauthenticate', { password: 'the engine weaves algebra' }, person.authorization)
    t.equal(response.statusCode, 200)
    const pair = response.json()
    t.equal(pair.sessionId, person.sessionId)
    t.equal((await readMe(api, pair.accessToken)).statusCode, 200)
    t.equal((await refresh(api, pair.refreshToken)).statusCode, 200)
    t.equal((await refresh(api, person.refreshToken)).statusCode, 200, 'a tab that did not know has the grace')
    await sql`update sessions set rotated_at = array(select r - interval '11 s' from unnest(rotated_at) r) where id = ${person.sessionId}`
    t.equal((await refresh(api, person.refreshToken)).json().code, 'REFRESH_TOKEN_REUSED')
    const [row] = await sql`select auth_time > now() - interval '1 minute' as fresh from sessions where id = ${person.sessionId}`
    t.equal(row?.fresh, true)
  })

  t.test('refreshes and reauthentications at once log nobody out', async t => {
    const person = await signUp(api)
    const prove = async () => await post(api, '/auth/reauthenticate', { password: 'the engine weaves algebra' }, person.authorization)
    const answers = await Promise.all([prove(), refresh(api, person.refreshToken), prove(), refresh(api, person.refreshToken)])
    for (const answer of answers) {
      t.equal(answer.statusCode, 200)
      t.equal((await refresh(api, answer.json().refreshToken)).statusCode, 200)
    }
  })

  t.test('403 PASSWORD_INCORRECT, counted with the failed logins', async t => {
    const person = await signUp(api)
    for (let n = 0; n < 3; n++) {
      const response = await post(api, '/auth/reauthenticate', { password: 'not the password' }, person.authorization)
      t.equal(response.statusCode, 403)
      t.equal(response.json().code, 'PASSWORD_INCORRECT')
    }
    t.equal((await post(api, '/auth/reauthenticate', { password: 'the engine weaves algebra' }, person.authorization)).statusCode, 429)
    t.equal((await post(api, '/auth/login', { email: person.email, password: 'the engine weaves algebra' })).statusCode, 200, 'the count is that of the session')
  })

  t.test('401 without a token, before the body is judged', async t => {
    t.equal((await post(api, '/auth/reauthenticate', '{')).json().code, 'TOKEN_MISSING')
  })
})

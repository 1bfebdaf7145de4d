import t from 'tap'
import { createTestApp } from '../../helpers/app.ts'
import { connect } from '../../helpers/database.ts'
import { goodPassword, post, readMe, refresh, signIn, signUp, type Person } from '../../helpers/people.ts'

const newPassword = 'patterns as the loom weaves flowers'

t.test('POST /users/me/password', async t => {
  const api = await createTestApp(t, { login: { maxFailures: 3 } })
  const sql = connect(api.database)
  t.teardown(async () => { await sql.end() })
  const change = async (person: Person, body: object) => await post(api, '/users/me/password', body, person.authorization)

  t.test('204: the new one counts, other sessions end, this one lives', async t => {
    const person = await signUp(api)
    const elsewhere = await signIn(api, person.email)
    t.equal((await change(person, { currentPassword: goodPassword, newPassword })).statusCode, 204)
    t.equal((await readMe(api, person.accessToken)).statusCode, 200)
    t.equal((await refresh(api, person.refreshToken)).statusCode, 200)
    t.equal((await readMe(api, elsewhere.accessToken)).json().code, 'SESSION_REVOKED')
    t.equal((await refresh(api, elsewhere.refreshToken)).statusCode, 401)
    t.equal((await post(api, '/auth/login', { email: person.email, password: goodPassword })).statusCode, 401)
    await signIn(api, person.email, newPassword)
    const events = await sql`select outcome, details from audit_events where type = 'authn_password_change' and target_id = ${person.id}`
    t.same([...events], [{ outcome: 'success', details: { sessionsEnded: 1 } }])
  })

  t.test('403 for a wrong current password, counted; 422 for a weak new one', async t => {
    const person = await signUp(api)
    const weak = await change(person, { currentPassword: goodPassword, newPassword: 'short' })
    t.equal(weak.statusCode, 422)
    t.match(weak.json().errors, [{ path: '/body/newPassword', code: 'too_short' }])
    for (let n = 0; n < 3; n++) t.equal((await change(person, { currentPassword: 'not the password', newPassword })).json().code, 'PASSWORD_INCORRECT')
    t.equal((await change(person, { currentPassword: goodPassword, newPassword })).json().code, 'TOO_MANY_ATTEMPTS')
    const events = await sql`select type, outcome from audit_events where target_id = ${person.id} and type like 'authn_password%'`
    t.same([...events], Array.from({ length: 3 }, () => ({ type: 'authn_password_change_fail', outcome: 'failure' })))
  })

  t.test('two changes at once: one wins, the other is told', async t => {
    const person = await signUp(api)
    const statuses = (await Promise.all(['one', 'two'].map(async word => await change(person, { currentPassword: goodPassword, newPassword: `${newPassword} ${word}` }))))
      .map(response => response.statusCode).sort()
    t.ok([[204, 403], [204, 409]].some(expected => String(expected) === String(statuses)), String(statuses))
  })
})

t.test('DELETE /users/me', async t => {
  const api = await createTestApp(t, { sessions: { freshSessionSeconds: 60 } })
  const sql = connect(api.database)
  t.teardown(async () => { await sql.end() })
  const deleteMe = async (person: Pick<Person, 'authorization'>) => await api.request({ method: 'DELETE', url: '/api/v1/users/me', headers: person.authorization })

  t.test('204: every session ends, e-mail and username are free again, the trail stays', async t => {
    const person = await signUp(api, { username: 'leaver' })
    const elsewhere = await signIn(api, person.email)
    t.equal((await deleteMe(person)).statusCode, 204)
    for (const { accessToken, refreshToken } of [person, elsewhere]) {
      t.equal((await readMe(api, accessToken)).json().code, 'SESSION_REVOKED')
      t.equal((await refresh(api, refreshToken)).json().code, 'REFRESH_TOKEN_INVALID')
    }
    t.equal((await post(api, '/auth/login', { email: person.email, password: goodPassword })).statusCode, 401)
    t.equal((await post(api, '/auth/register', { email: person.email, password: goodPassword, username: 'leaver' })).statusCode, 201)
    const [event] = await sql`select outcome from audit_events where type = 'user_deleted' and target_id = ${person.id}`
    t.equal(event?.outcome, 'success')
  })

  t.test('403 REAUTHENTICATION_REQUIRED unless the session is fresh, which reauthenticating makes it', async t => {
    const person = await signUp(api)
    await sql`update sessions set auth_time = now() - interval '61 s' where id = ${person.sessionId}`
    const stale = (await refresh(api, person.refreshToken)).json()
    const refused = await deleteMe({ authorization: { authorization: `Bearer ${stale.accessToken}` } })
    t.equal(refused.statusCode, 403)
    t.equal(refused.json().code, 'REAUTHENTICATION_REQUIRED')
    const fresh = (await post(api, '/auth/reauthenticate', { password: goodPassword }, { authorization: `Bearer ${stale.accessToken}` })).json()
    t.equal((await deleteMe({ authorization: { authorization: `Bearer ${fresh.accessToken}` } })).statusCode, 204)
  })

  t.test('409 for the last active administrator, even for two who leave at once', async t => {
    const people = [await signUp(api), await signUp(api)]
    await sql`update users set roles = '{user,admin}' where id in ${sql(people.map(person => person.id))}`
    const admins = await Promise.all(people.map(async ({ email }) => await signIn(api, email)))
    const statuses = (await Promise.all(admins.map(deleteMe))).map(response => response.statusCode).sort()
    t.same(statuses, [204, 409])
    const [{ n } = { n: 0 }] = await sql`select count(*)::int as n from users where 'admin' = any(roles) and deleted_at is null`
    t.equal(n, 1)
  })
})

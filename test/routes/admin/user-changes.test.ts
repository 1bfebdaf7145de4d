import t from 'tap'
import { createMailbox } from '../../helpers/mailbox.ts'
import { noticeOf } from '../../helpers/action-links.ts'
import { createTestDatabase } from '../../helpers/database.ts'
import { createInstances, standingOf, toldOnly, untilStanding } from '../../helpers/instances.ts'
import { bearer, goodPassword, newEmail, post, readMe, refresh, signIn, signUp, type Person } from '../../helpers/people.ts'

t.test('changes of users', async t => {
  const mailbox = await createMailbox(t)
  const roles = { support: ['users:read', 'users:write'], keeper: ['keys:read'], clerk: ['users:read'] }
  const { a: api, b, sql } = await createInstances(t, await createTestDatabase(t), { revocation: toldOnly, mail: mailbox.options, roles })
  const call = async (by: Person, method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE', path: string, payload?: object, on = api) =>
    await on.request({ method, url: `/api/v1/admin/users${path}`, headers: by.authorization, ...payload !== undefined && { payload } })
  async function person (...names: string[]): Promise<Person> {
    const { id, email } = await signUp(api)
    await sql`update users set roles = ${['user', ...names]} where id = ${id}`
    return await signIn(api, email)
  }
  const eventsOf = async (id: string, ...types: string[]) =>
    [...await sql`select type, outcome, actor_id, session_id, details from audit_events where target_id = ${id} and type = any(${types}) order by occurred_at, id`]
  const [admin, support] = [await person('admin'), await person('support')]

  await t.test('POST: the invited person chooses the password', async t => {
    const email = newEmail()
    const response = await call(admin, 'POST', '', { email, roles: ['support'], username: `invited-${process.pid}`, firstName: 'Ada' })
    t.equal(response.statusCode, 201, response.body)
    const { id } = response.json()
    t.equal(response.headers.location, `/api/v1/admin/users/${id}`)
    t.match(response.json(), { email, emailVerified: false, roles: ['user', 'support'], isActive: true, firstName: 'Ada', lastName: null, lastLoginAt: null })
    t.match(await eventsOf(id, 'user_created'), [{ outcome: 'success', actor_id: admin.id, session_id: admin.sessionId, details: { reason: 'invitation' } }])
    await mailbox.take(email, 'invitation')

    t.equal((await call(admin, 'POST', `/${id}/password-reset`)).statusCode, 202, 'who has no password yet is invited again')
    const { token } = await mailbox.take(email, 'invitation')
    t.equal((await post(api, '/auth/invitation/accept', { token, password: goodPassword })).statusCode, 204)
    t.same((await readMe(api, (await signIn(api, email)).accessToken)).json().roles, ['user', 'support'])

    const taken = await call(admin, 'POST', '', { email: email.toUpperCase(), username: `INVITED-${process.pid}` })
    t.match(taken.json(), { status: 409, code: 'USER_ALREADY_EXISTS', errors: [{ path: '/body/email' }, { path: '/body/username' }] })
    for (const [body, path] of [[{}, '/body/email'], [{ email: 'x' }, '/body/email'], [{ email: newEmail(), password: goodPassword }, '/body/password'], [{ email: newEmail(), roles: ['user', 'king'] }, '/body/roles/1'],
      [{ email: newEmail(), roles: ['support', 'support'] }, '/body/roles'], [{ email: newEmail(), roles: 'admin' }, '/body/roles'], [{ email: newEmail(), isActive: false }, '/body/isActive']] as const) {
      t.match((await call(admin, 'POST', '', body)).json(), { status: 422, errors: [{ path }] }, JSON.stringify(body))
    }
    t.match((await call(admin, 'POST', '', { email: newEmail(), roles: ['king'] })).json().errors[0].message, /user, admin, support, keeper, clerk/)
  })

  await t.test('PATCH: absent means unchanged, null clears; PUT is an alias', async t => {
    const target = await signUp(api, { username: `changed-${process.pid}`, firstName: 'Ada', lastName: 'King' })
    const changed = await call(admin, 'PATCH', `/${target.id.toUpperCase()}`, { lastName: null, firstName: 'Augusta' })
    t.match(changed.json(), { username: `changed-${process.pid}`, firstName: 'Augusta', lastName: null, roles: ['user'] })
    t.match((await call(admin, 'PUT', `/${target.id}`, { username: null })).json(), { username: null, firstName: 'Augusta' })
    for (const same of [{}, { firstName: 'Augusta', roles: [] }, { isActive: true, roles: ['user'] }]) t.equal((await call(admin, 'PATCH', `/${target.id}`, same)).statusCode, 200)
    const from = { outcome: 'success', actor_id: admin.id, session_id: admin.sessionId }
    t.match(await eventsOf(target.id, 'user_updated', 'authz_change', 'authz_admin'), [{ ...from, details: { changed: ['firstName', 'lastName'] } }, { ...from, details: { changed: ['username'] } }], 'what changes nothing is no event')
    const owner = await signUp(api, { username: `owner-${process.pid}` })
    t.match((await call(admin, 'PATCH', `/${target.id}`, { username: `OWNER-${process.pid}` })).json(), { status: 409, errors: [{ path: '/body/username', code: 'taken' }] })
    t.match((await call(admin, 'PATCH', `/${owner.id}`, { roles: ['king', 'admin', 'queen'] })).json(), { status: 422, errors: [{ path: '/body/roles/0' }, { path: '/body/roles/2' }] })
    for (const body of [{ email: newEmail() }, { password: goodPassword }, { roles: null }, { isActive: null }, { username: 'x' }]) t.equal((await call(admin, 'PATCH', `/${owner.id}`, body)).statusCode, 422, JSON.stringify(body))
    t.equal((await call(admin, 'PATCH', '/01920000-0000-7000-8000-000000000009', { firstName: 'X' })).json().code, 'USER_NOT_FOUND')
    t.equal((await readMe(api, target.accessToken)).statusCode, 200, 'a name takes nobody\'s token')
  })

  await t.test('PATCH: roles bite at once on tokens that were issued, on every instance, and are told', async t => {
    const target = await person()
    t.equal(await standingOf(b, target.accessToken), 'live')
    const response = await call(admin, 'PATCH', `/${target.id}`, { roles: ['admin', 'keeper'] })
    t.same(response.json().roles, ['user', 'admin', 'keeper'])
    await untilStanding(api, target.accessToken, 'TOKEN_STALE')
    await untilStanding(b, target.accessToken, 'TOKEN_STALE')
    const { accessToken } = (await refresh(b, target.refreshToken)).json()
    t.equal((await b.request({ method: 'GET', url: '/api/v1/admin/users', headers: bearer(accessToken) })).statusCode, 200)
    t.match((await noticeOf(mailbox, target.email, 'roles-changed')).text, /user, admin, keeper/)
    t.match(await eventsOf(target.id, 'authz_change'), [{ actor_id: admin.id, session_id: admin.sessionId, details: { before: ['user'], after: ['user', 'admin', 'keeper'] } }])
    t.equal((await call(admin, 'PATCH', `/${target.id}`, { roles: [] })).statusCode, 200)
    await untilStanding(b, accessToken, 'TOKEN_STALE')
  })

  await t.test('PATCH: whoever is disabled is out at once, on every instance, and can be enabled again', async t => {
    const target = await person()
    t.equal(await standingOf(b, target.accessToken), 'live')
    t.equal((await call(admin, 'PATCH', `/${target.id}`, { isActive: false })).json().isActive, false)
    t.equal(await standingOf(api, target.accessToken), 'SESSION_REVOKED')
    await untilStanding(b, target.accessToken, 'SESSION_REVOKED')
    t.equal((await refresh(b, target.refreshToken)).json().code, 'REFRESH_TOKEN_INVALID')
    t.equal((await post(b, '/auth/login', { email: target.email, password: goodPassword })).json().code, 'ACCOUNT_DISABLED')
    t.equal((await call(admin, 'POST', `/${target.id}/password-reset`)).json().code, 'CONFLICT')
    t.equal((await call(admin, 'PATCH', `/${target.id}`, { isActive: true })).json().isActive, true)
    await signIn(b, target.email)
    t.equal((await refresh(api, target.refreshToken)).json().code, 'REFRESH_TOKEN_INVALID', 'sessions from before stay ended')
    t.match(await eventsOf(target.id, 'authz_admin'), [{ details: { action: 'user_disabled' } }, { details: { action: 'user_enabled' } }])
  })

  await t.test('DELETE: out at once, names are free again, the person is told', async t => {
    const username = `freed-${process.pid}`
    const target = await signUp(api, { username })
    t.equal((await call(admin, 'DELETE', `/${target.id}`)).statusCode, 204)
    t.equal(await standingOf(api, target.accessToken), 'SESSION_REVOKED')
    await untilStanding(b, target.accessToken, 'SESSION_REVOKED')
    await noticeOf(mailbox, target.email, 'account-deleted')
    t.match(await eventsOf(target.id, 'user_deleted'), [{ outcome: 'success', actor_id: admin.id, session_id: admin.sessionId }])
    for (const path of ['', '/unlock', '/logout', '/password-reset']) t.equal((await call(admin, path === '' ? 'DELETE' : 'POST', `/${target.id}${path}`)).json().code, 'USER_NOT_FOUND')
    t.equal((await call(admin, 'POST', '', { email: target.email, username })).statusCode, 201)
  })

  await t.test('sessions: list, end one, end all', async t => {
    const first = await person()
    const second = await signIn(api, first.email)
    const { items } = (await call(admin, 'GET', `/${first.id}/sessions`)).json()
    t.same(items.slice(0, 2).map(({ id, current }: { id: string, current: boolean }) => ({ id, current })), [{ id: second.sessionId, current: false }, { id: first.sessionId, current: false }])
    t.ok((await call(admin, 'GET', `/${admin.id}/sessions`)).json().items.some(({ id, current }: { id: string, current: boolean }) => id === admin.sessionId && current))
    const { nextCursor } = (await call(admin, 'GET', `/${first.id}/sessions?limit=1`)).json()
    t.equal((await call(admin, 'GET', `/${admin.id}/sessions?cursor=${nextCursor}`)).statusCode, 422, 'of somebody else')

    t.equal((await call(admin, 'DELETE', `/${admin.id}/sessions/${first.sessionId}`)).json().code, 'SESSION_NOT_FOUND')
    t.equal((await call(admin, 'DELETE', `/${first.id}/sessions/7`)).statusCode, 422)
    t.equal((await call(admin, 'DELETE', `/${first.id}/sessions/${first.sessionId.toUpperCase()}`)).statusCode, 204)
    t.equal((await call(admin, 'DELETE', `/${first.id}/sessions/${first.sessionId}`)).json().code, 'SESSION_NOT_FOUND')
    t.equal(await standingOf(api, first.accessToken), 'SESSION_REVOKED')
    t.equal(await standingOf(api, second.accessToken), 'live')
    for (let n = 0; n < 2; n++) t.equal((await call(admin, 'POST', `/${first.id}/logout`)).statusCode, 204)
    await untilStanding(b, second.accessToken, 'SESSION_REVOKED')
    const events = await eventsOf(first.id, 'authn_token_revoked')
    t.match(events[0], { actor_id: admin.id, session_id: first.sessionId, details: { reason: 'session_ended', askedWith: admin.sessionId } })
    t.match(events[1], { actor_id: admin.id, session_id: admin.sessionId, details: { reason: 'logout_by_admin' } })
  })

  await t.test('POST /password-reset mails a link; the password so far stays good', async t => {
    const target = await person()
    const response = await call(admin, 'POST', `/${target.id}/password-reset`)
    t.same([response.statusCode, response.json()], [202, {}])
    await signIn(api, target.email)
    const { token } = await mailbox.take(target.email, 'reset-password')
    t.equal((await post(api, '/auth/password/reset', { token, password: 'patterns as the loom weaves flowers' })).statusCode, 204)
    t.match(await eventsOf(target.id, 'authz_admin'), [{ actor_id: admin.id, details: { action: 'password_link_sent' } }])
  })

  await t.test('who may do what to whom', async t => {
    const clerk = await person('clerk')
    const acts = (id: string) => [
      ['PATCH', `/${id}`, { firstName: 'X' }], ['PATCH', `/${id}`, { isActive: false }], ['PATCH', `/${id}`, { isActive: true, firstName: null }], ['POST', `/${id}/unlock`], ['POST', `/${id}/logout`],
      ['POST', `/${id}/password-reset`], ['DELETE', `/${id}/sessions/01920000-0000-7000-8000-000000000009`], ['DELETE', `/${id}`]
    ] as const
    const outcomes = async (by: Person, ...names: string[]) => {
      const { id } = await person(...names)
      const statuses: number[] = []
      for (const [method, path, body] of acts(id)) statuses.push((await call(by, method, path, body)).statusCode)
      return [...new Set(statuses)].sort((one, other) => one - other)
    }
    for (const names of [['admin'], ['keeper'], ['support', 'keeper']]) t.same(await outcomes(support, ...names), [403], `support over ${names.join()}`)
    for (const names of [[], ['support'], ['clerk']]) t.same(await outcomes(support, ...names), [200, 202, 204, 404], `support over ${names.join()}`)
    for (const names of [[], ['admin'], ['keeper', 'support']]) t.same(await outcomes(admin, ...names), [200, 202, 204, 404], `admin over ${names.join()}`)
    t.same(await outcomes(clerk), [403])
    t.equal((await call(clerk, 'PATCH', '/no-id', { roles: 7 })).statusCode, 403, 'the permission comes before the input')
    t.equal((await call(clerk, 'POST', '', { email: newEmail() })).statusCode, 403)

    const target = await person()
    const rolesTo = async (by: Person, id: string, names: string[]) => (await call(by, 'PATCH', `/${id}`, { roles: names })).statusCode
    for (const names of [['admin'], ['keeper'], ['support', 'keeper']]) {
      t.equal(await rolesTo(support, target.id, names), 403, `support gives ${names.join()}`)
      t.equal(await rolesTo(support, support.id, [...new Set([...names, 'support'])]), 403, 'not to themselves either')
      t.equal((await call(support, 'POST', '', { email: newEmail(), roles: names })).statusCode, 403)
    }
    t.equal(await rolesTo(support, target.id, ['support', 'clerk']), 200)
    t.equal(await rolesTo(support, target.id, []), 200)
    t.equal((await call(support, 'POST', '', { email: newEmail(), roles: ['clerk'] })).statusCode, 201)
    t.same((await readMe(api, support.accessToken)).json().roles, ['user', 'support'])
  })

  await t.test('an instance that was not told yet grants nothing on the word of an old token', async t => {
    const former = await person('admin')
    const email = newEmail()
    // What tells the instances of a change fires at the commit; here, nothing tells them.
    const demoted = async (work: () => Promise<void>) => {
      await sql`alter table users disable trigger users_raise_authz_version`
      await sql`update users set roles = '{user,support}' where id = ${former.id}`.finally(async () => await sql`alter table users enable trigger users_raise_authz_version`)
      await work()
    }
    await demoted(async () => {
      t.equal(await standingOf(b, former.accessToken), 'live')
      t.match((await call(former, 'POST', '', { email, roles: ['admin'] }, b)).json(), { status: 403, code: 'FORBIDDEN' })
      t.equal((await sql`select 1 from users where email = ${email}`).length, 0)
      for (const [method, path] of [['DELETE', ''], ['POST', '/logout'], ['POST', '/password-reset']] as const) t.equal((await call(former, method, `/${admin.id}${path}`, undefined, b)).statusCode, 403, `${method} ${path}`)
      t.equal((await call(former, 'POST', '', { email, roles: ['support'] }, b)).statusCode, 201)
    })
  })

  await t.test('there is always an active administrator, whoever acts at once', async t => {
    async function two (): Promise<[Person, Person]> {
      await sql`update users set roles = '{user}' where 'admin' = any(roles)`
      return [await person('admin'), await person('admin')]
    }
    const activeAdmins = async () => (await sql`select id from users where 'admin' = any(roles) and is_active and deleted_at is null and password_hash is not null`).length
    const demote = { roles: [] }
    for (const [one, other] of [
      [['PATCH', demote], ['PATCH', demote]], [['PATCH', { isActive: false }], ['DELETE', undefined]], [['DELETE', undefined], ['DELETE', undefined]], [['PATCH', { isActive: false }], ['PATCH', demote]]
    ] as const) {
      for (const self of [false, true]) {
        const [x, y] = await two()
        const answers = await Promise.all([
          call(x, one[0], `/${self ? x.id : y.id}`, one[1], api),
          call(y, other[0], `/${self ? y.id : x.id}`, other[1], b)
        ])
        const refused = answers.filter(({ statusCode }) => statusCode >= 400)
        t.equal(refused.length, 1, `${JSON.stringify([one, other])}: ${answers.map(({ statusCode, body }) => `${statusCode} ${body}`).join()}`)
        t.ok(['CONFLICT', 'FORBIDDEN', 'TOKEN_STALE', 'SESSION_REVOKED'].includes(refused[0]?.json().code))
        t.equal(await activeAdmins(), 1)
      }
    }
    const [last, invited] = await two()
    await sql`update users set password_hash = null where id = ${invited.id}`
    for (const body of [demote, { isActive: false }, { roles: ['support'], firstName: 'X' }]) t.match((await call(last, 'PATCH', `/${last.id}`, body)).json(), { status: 409, code: 'CONFLICT' })
    t.equal((await call(last, 'DELETE', `/${last.id}`)).json().code, 'CONFLICT')
    t.equal((await call(last, 'GET', `/${last.id}`)).json().firstName, null, 'nothing of a refused change stays')
    t.equal((await call(last, 'PATCH', `/${last.id}`, { firstName: 'Y' })).statusCode, 200, 'and nobody was signed out')
    t.equal(await activeAdmins(), 1)
  })
})

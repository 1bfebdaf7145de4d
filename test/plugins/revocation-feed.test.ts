import { decodeJwt } from 'jose'
import t from 'tap'
import { createTestApp } from '../helpers/app.ts'
import { connect, createTestDatabase } from '../helpers/database.ts'
import { createInstances, standingOf, toldOnly, untilStanding } from '../helpers/instances.ts'
import { goodPassword, post, readMe, refresh, signIn, signUp, type Person } from '../helpers/people.ts'
import { createDatabaseProxy } from '../helpers/proxy.ts'
import { until } from '../helpers/until.ts'

t.test('what ends a session is refused by another instance within a second', async t => {
  const { a, b, sql } = await createInstances(t, await createTestDatabase(t))
  const took: number[] = []
  const cases: Record<string, (person: Person) => Promise<unknown>> = {
    'POST /auth/logout': async person => await post(a, '/auth/logout', {}, person.authorization),
    'POST /auth/logout by refresh token': async person => await post(a, '/auth/logout', { refreshToken: person.refreshToken }),
    'POST /auth/logout-all': async person => await post(a, '/auth/logout-all', {}, (await signIn(a, person.email)).authorization),
    'POST /users/me/password': async person => await post(a, '/users/me/password', { currentPassword: goodPassword, newPassword: 'another engine weaves algebra' }, (await signIn(a, person.email)).authorization),
    'DELETE /users/me': async person => await a.request({ method: 'DELETE', url: '/api/v1/users/me', headers: person.authorization }),
    'a refresh token that is used again': async person => {
      await refresh(a, person.refreshToken)
      await sql`update sessions set rotated_at = array(select r - interval '11 s' from unnest(rotated_at) r) where id = ${person.sessionId}`
      t.equal((await refresh(a, person.refreshToken)).json().code, 'REFRESH_TOKEN_REUSED')
    },
    'update users set is_active = false': async person => await sql`update users set is_active = false where id = ${person.id}`,
    'update users set deleted_at': async person => await sql`update users set deleted_at = now() where id = ${person.id}`,
    'update sessions set revoked_at': async person => await sql`update sessions set revoked_at = now() where id = ${person.sessionId}`,
    'delete from sessions': async person => await sql`delete from sessions where id = ${person.sessionId}`,
    'delete from users': async person => await sql`delete from users where id = ${person.id}`,
    'truncate sessions': async () => await sql`truncate sessions`
  }
  const bystander = await signUp(a)
  for (const [name, end] of Object.entries(cases)) {
    const person = await signUp(a)
    t.equal(await standingOf(b, person.accessToken), 'live', name)
    await end(person)
    took.push(await untilStanding(b, person.accessToken, 'SESSION_REVOKED'))
    t.equal((await readMe(b, person.accessToken)).json().code, 'SESSION_REVOKED', name)
    await untilStanding(a, person.accessToken, 'SESSION_REVOKED')
    t.equal((await refresh(b, person.refreshToken)).statusCode, 401, name)
    if (name !== 'truncate sessions') t.equal(await standingOf(b, bystander.accessToken), 'live', 'and nobody else')
  }
  t.ok((took.toSorted((one, other) => one - other).at(-2) ?? Infinity) < 1000, took.map(ms => ms.toFixed(0)).join(' '))
})

t.test('the session of whoever changes the password lives on', async t => {
  const { a, b } = await createInstances(t, await createTestDatabase(t))
  const [person, other] = [await signUp(a), await signUp(a)]
  const here = await signIn(a, person.email)
  t.equal((await post(a, '/users/me/password', { currentPassword: goodPassword, newPassword: 'another engine weaves algebra' }, here.authorization)).statusCode, 204)
  await untilStanding(b, person.accessToken, 'SESSION_REVOKED')
  t.equal(await standingOf(b, here.accessToken), 'live')
  t.equal(await standingOf(b, other.accessToken), 'live')
})

t.test('changed roles: TOKEN_STALE everywhere, and a refresh brings the new ones', async t => {
  const { a, b, sql } = await createInstances(t, await createTestDatabase(t))
  const person = await signUp(a)
  await sql`update users set roles = '{user,editor}' where id = ${person.id}`
  const [here, there] = [await untilStanding(a, person.accessToken, 'TOKEN_STALE'), await untilStanding(b, person.accessToken, 'TOKEN_STALE')]
  t.ok(here < 1000 && there < 1000, `${here} ${there}`)
  const { accessToken } = (await refresh(b, person.refreshToken)).json()
  t.match(decodeJwt(accessToken), { roles: ['user', 'editor'], ver: 2, sid: person.sessionId })
  for (const api of [a, b]) t.equal((await readMe(api, accessToken)).statusCode, 200)
  t.equal(await standingOf(b, (await signIn(a, person.email)).accessToken), 'live')

  const other = await signUp(a)
  await sql`update users set first_name = 'Ada', roles = roles where id = ${person.id}`
  await t.rejects(sql.begin(async tx => {
    await tx`update users set roles = '{user}' where id = ${person.id}`
    throw new Error('rolled back')
  }), /rolled back/)
  await post(a, '/auth/logout', {}, other.authorization)
  await untilStanding(b, other.accessToken, 'SESSION_REVOKED')
  t.equal(await standingOf(b, accessToken), 'live', 'what did not change, or was rolled back, tells nothing')
})

t.test('registration, login, refresh and reading tell nobody anything', async t => {
  const { a, sql } = await createInstances(t, await createTestDatabase(t))
  const heard: string[] = []
  await sql.listen('auth_serve', payload => { heard.push(payload) })
  const person = await signUp(a)
  const again = await signIn(a, person.email)
  await post(a, '/auth/login', { email: person.email, password: 'not the password' })
  const pair = (await refresh(a, again.refreshToken)).json()
  await refresh(a, again.refreshToken)
  await readMe(a, pair.accessToken)
  await post(a, '/auth/reauthenticate', { password: goodPassword }, person.authorization)
  await a.request({ method: 'PATCH', url: '/api/v1/users/me', payload: { firstName: 'Ada' }, headers: person.authorization })
  await post(a, '/auth/logout', {}, person.authorization)
  await until('the logout is heard', () => heard.some(payload => payload.startsWith(`s ${person.sessionId} `)))
  t.equal(heard.filter(payload => !/^h /.test(payload)).length, 1, heard.join('\n'))
})

t.test('a session without a live access token ends in silence', async t => {
  const { a, sql } = await createInstances(t, await createTestDatabase(t))
  const heard: string[] = []
  await sql.listen('auth_serve', payload => { heard.push(payload) })
  const [person, other] = [await signUp(a), await signUp(a)]
  await sql`update sessions set access_until = now() - interval '61 s' where id = ${person.sessionId}`
  await sql`delete from sessions where id = ${person.sessionId}`
  await sql`delete from sessions where id = ${other.sessionId}`
  await until('the other is heard', () => heard.some(payload => payload.startsWith('s ')))
  t.same(heard.filter(payload => payload.startsWith('s ')).map(payload => payload.split(' ')[1]), [other.sessionId])
})

t.test('more than memory may hold: every one is refused all the same, and others pass', async t => {
  const location = await createTestDatabase(t)
  const proxy = await createDatabaseProxy(t, location)
  const a = await createTestApp(t, {}, location)
  const b = await createTestApp(t, { revocation: { ...toldOnly, rereadMs: 100, maxEntries: 2 } }, proxy.location)
  const people = await Promise.all(Array.from({ length: 5 }, async () => await signUp(a)))
  const [alive, stale] = [await signUp(a), await signUp(a)]
  for (const person of people) t.equal((await post(a, '/auth/logout', {}, person.authorization)).statusCode, 204)
  const sql = connect(location)
  t.teardown(async () => { await sql.end() })
  await sql`update users set roles = '{user,editor}' where id = ${stale.id}`
  for (let round = 0; round < 3; round++) {
    for (const person of people) await untilStanding(b, person.accessToken, 'SESSION_REVOKED')
    await untilStanding(b, stale.accessToken, 'TOKEN_STALE')
    t.equal(await standingOf(b, alive.accessToken), 'live')
  }
  const late = await createTestApp(t, { revocation: { maxEntries: 2 } }, location)
  for (const person of people) t.equal(await standingOf(late, person.accessToken), 'SESSION_REVOKED', 'one that starts now')
  t.equal(await standingOf(late, alive.accessToken), 'live')

  await proxy.cut()
  const standings = await Promise.all(people.map(async person => await standingOf(b, person.accessToken)))
  t.same([...new Set(standings)].sort(), ['SERVICE_UNAVAILABLE', 'SESSION_REVOKED'], 'without the database nobody passes for live')
  t.equal(await standingOf(b, alive.accessToken), 'SERVICE_UNAVAILABLE')
})

t.test('access tokens of a longer life than now configured stay refused until they expire', async t => {
  const location = await createTestDatabase(t)
  const before = await createTestApp(t, { sessions: { accessTtlSeconds: 900 } }, location)
  const { a: now, sql } = await createInstances(t, location, { sessions: { accessTtlSeconds: 5 }, revocation: toldOnly })
  const lifeOf = async (subject: string): Promise<number> => Number((await sql`select extract(epoch from expires_at - now()) as life from revocations where subject_id = ${subject}`)[0]?.life)
  const covers = (life: number): boolean => life > 900 + 60 - 30 && life <= 900 + 60 + 1

  const [one, two, three] = [await signUp(before), await signUp(before), await signUp(before)]
  const shortened = (await refresh(now, one.refreshToken)).json()
  t.match(shortened, { expiresIn: 5 })
  t.equal((decodeJwt(shortened.accessToken).exp ?? 0) - (decodeJwt(shortened.accessToken).iat ?? 0), 5)
  await post(now, '/auth/logout', { refreshToken: shortened.refreshToken })
  t.ok(covers(await lifeOf(one.sessionId)), `logout after a refresh: ${await lifeOf(one.sessionId)}`)

  const proven = (await post(now, '/auth/reauthenticate', { password: goodPassword }, two.authorization)).json()
  t.match(proven, { expiresIn: 5 })
  await post(now, '/auth/logout', { refreshToken: proven.refreshToken })
  t.ok(covers(await lifeOf(two.sessionId)), `logout after a proof: ${await lifeOf(two.sessionId)}`)

  await sql`update users set roles = '{user,editor}' where id = ${three.id}`
  t.ok(await lifeOf(three.id) > 86_400, 'for a user, the longest life that can be configured')
})

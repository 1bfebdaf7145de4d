import t from 'tap'
import { createTestApp, type TestApp } from '../../helpers/app.ts'
import { connect } from '../../helpers/database.ts'
import { bearer, goodPassword, newEmail, post, readMe, refresh, signIn, signUp, type Person } from '../../helpers/people.ts'
import { until } from '../../helpers/until.ts'

const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0'

async function list (api: TestApp, { authorization }: Pick<Person, 'authorization'>, query = '') {
  return await api.request({ method: 'GET', url: `/api/v1/users/me/sessions${query}`, headers: authorization })
}
async function end (api: TestApp, { authorization }: Pick<Person, 'authorization'>, id: string) {
  return await api.request({ method: 'DELETE', url: `/api/v1/users/me/sessions/${id}`, headers: authorization })
}
async function idsOf (api: TestApp, person: Pick<Person, 'authorization'>): Promise<string[]> {
  return (await list(api, person)).json().items.map(({ id }: { id: string }) => id)
}
/** Signs the same person in this often, one after another; the newest is the last. */
async function signInTimes (api: TestApp, email: string, count: number): Promise<Person[]> {
  const people: Person[] = []
  while (people.length < count) people.push(await signIn(api, email))
  return people
}

t.test('GET /users/me/sessions', async t => {
  const api = await createTestApp(t)
  const sql = connect(api.database)
  t.teardown(async () => { await sql.end() })

  t.test('200 with what the owner should know, and nothing more', async t => {
    const person = await signUp(api)
    const answer = await post(api, '/auth/login', { email: person.email, password: goodPassword }, { 'user-agent': firefox })
    const { sessionId } = answer.json()
    await sql`update sessions set idle_expires_at = '2099-01-02T03:04:05.678Z', expires_at = '2099-02-01' where id = ${sessionId}`
    const response = await list(api, person)
    t.equal(response.statusCode, 200)
    const { items: [newest, oldest], nextCursor } = response.json()
    t.equal(nextCursor, null)
    t.match(newest, { id: sessionId, expiresAt: '2099-01-02T03:04:05.678Z', ipAddress: '127.0.0.1', userAgent: firefox, device: 'Firefox on Linux', current: false })
    t.match(oldest, { id: person.sessionId, userAgent: 'lightMyRequest', device: null, current: true })
    t.same(Object.keys(newest).sort(), ['createdAt', 'current', 'device', 'expiresAt', 'id', 'ipAddress', 'lastUsedAt', 'userAgent'])
    t.equal((await list(api, { authorization: bearer(answer.json().accessToken) })).json().items[0].current, true)
  })

  t.test('live sessions of this person only', async t => {
    const [person, other] = [await signUp(api), await signUp(api)]
    const [ended, idle, over, live] = await signInTimes(api, person.email, 4)
    await end(api, person, ended?.sessionId ?? '')
    await sql`update sessions set idle_expires_at = now() where id = ${idle?.sessionId ?? null}`
    await sql`update sessions set expires_at = now() where id = ${over?.sessionId ?? null}`
    t.same(await idsOf(api, person), [live?.sessionId, person.sessionId])
    t.same(await idsOf(api, other), [other.sessionId])
  })

  t.test('pages hold each session once, newest first, whatever is opened and ended meanwhile', async t => {
    const person = await signUp(api)
    const people = await signInTimes(api, person.email, 6)
    const expected = [person, ...people].map(({ sessionId }) => sessionId).reverse()
    const seen: string[] = []
    let query = '?limit=2'
    for (let page = 0; query !== ''; page++) {
      const { items, nextCursor } = (await list(api, person, query)).json()
      seen.push(...items.map(({ id }: { id: string }) => id))
      query = nextCursor === null ? '' : `?limit=2&cursor=${nextCursor}`
      await signIn(api, person.email)
      // The session that the cursor names may be gone.
      if (page === 0) await end(api, person, seen.at(-1) ?? '')
    }
    t.same(seen, expected)
  })

  t.test('the page has 50 items unless asked otherwise, 200 at most', async t => {
    const person = await signUp(api)
    await sql`insert into sessions (id, user_id, expires_at, idle_expires_at, access_until, refresh_hashes)
      select gen_random_uuid(), ${person.id}, now() + interval '1 day', now() + interval '1 day', now(), '{}' from generate_series(1, 250)`
    for (const [query, items] of [['', 50], ['?limit=200', 200], ['?limit=1', 1]] as const) t.equal((await list(api, person, query)).json().items.length, items)
    for (const limit of ['0', '201', '-1', '1.5', 'x', '', '1e2']) {
      const refused = await list(api, person, `?limit=${limit}`)
      t.equal(refused.statusCode, 422, limit)
      t.equal(refused.json().errors[0].path, '/query/limit')
    }
  })

  t.test('422 at /query/cursor for one that is forged, malformed, of somebody else or of another list', async t => {
    const [person, other] = [await signUp(api), await signUp(api)]
    await signInTimes(api, person.email, 2)
    await signInTimes(api, other.email, 2)
    const cursorOf = async (whose: Person): Promise<string> => (await list(api, whose, '?limit=1')).json().nextCursor
    const cursor = await cursorOf(person)
    const [keyId, , mac] = cursor.split('.')
    const forged = `${keyId}.${Buffer.from(JSON.stringify(other.sessionId)).toString('base64url')}.${mac}`
    for (const wrong of [forged, await cursorOf(other), `${cursor}A`, cursor.slice(0, -1), 'x', '', '%00', 'a'.repeat(3000), other.refreshToken]) {
      const refused = await list(api, person, `?cursor=${wrong}`)
      t.equal(refused.statusCode, 422, wrong.slice(0, 40))
      t.match(refused.json(), { code: 'INVALID_INPUT', errors: [{ path: '/query/cursor' }] })
    }
    t.equal((await list(api, person, `?cursor=${cursor}&cursor=${cursor}`)).statusCode, 422)
    t.equal((await list(api, person, '?before=x')).json().errors[0].path, '/query/before')
    t.equal((await list(api, person, `?cursor=${cursor}`)).statusCode, 200)
  })

  t.test('cursors live through a change of secrets', async t => {
    const rolled = await createTestApp(t, { secrets: ['another-secret-of-the-test-suite-long-enough', 'a-secret-of-the-test-suite-that-is-long-enough'] }, api.database)
    const person = await signUp(api)
    await signIn(api, person.email)
    const { nextCursor } = (await list(api, person, '?limit=1')).json()
    t.equal((await list(rolled, person, `?cursor=${nextCursor}`)).statusCode, 200)
  })

  t.test('401 before the query is judged; 405 for another method', async t => {
    t.equal((await api.request({ method: 'GET', url: '/api/v1/users/me/sessions?limit=x' })).json().code, 'TOKEN_MISSING')
    t.equal((await api.request({ method: 'POST', url: '/api/v1/users/me/sessions' })).statusCode, 405)
  })
})

t.test('DELETE /users/me/sessions/{id}', async t => {
  const api = await createTestApp(t)
  const sql = connect(api.database)
  t.teardown(async () => { await sql.end() })
  const eventsOf = async (sessionId: string) => [...await sql`select outcome, actor_id, target_id, details from audit_events where type = 'authn_token_revoked' and session_id = ${sessionId}`]

  t.test('204: access and refresh token die at once, on every instance, and the trail says so', async t => {
    const second = await createTestApp(t, {}, api.database)
    const person = await signUp(api)
    const elsewhere = await signIn(second, person.email)
    t.equal((await readMe(second, elsewhere.accessToken)).statusCode, 200)
    t.equal((await end(api, person, elsewhere.sessionId.toUpperCase())).statusCode, 204)
    t.equal((await readMe(api, elsewhere.accessToken)).json().code, 'SESSION_REVOKED', 'at once here')
    await until('the other instance knows', async () => (await readMe(second, elsewhere.accessToken)).json().code === 'SESSION_REVOKED')
    t.equal((await refresh(second, elsewhere.refreshToken)).json().code, 'REFRESH_TOKEN_INVALID')
    t.equal((await readMe(api, person.accessToken)).statusCode, 200)
    t.same(await eventsOf(elsewhere.sessionId), [{ outcome: 'success', actor_id: person.id, target_id: person.id, details: { reason: 'session_ended', askedWith: person.sessionId } }])
  })

  t.test('204 for the current one, which is a logout', async t => {
    const person = await signUp(api)
    t.equal((await end(api, person, person.sessionId)).statusCode, 204)
    t.equal((await readMe(api, person.accessToken)).json().code, 'SESSION_REVOKED')
    t.match(await eventsOf(person.sessionId), [{ details: { reason: 'logout' } }])
  })

  t.test('404, one and the same, for one that is unknown, has ended or is somebody else\'s', async t => {
    const [person, other] = [await signUp(api), await signUp(api)]
    const [ended, idle, over] = await signInTimes(api, person.email, 3)
    await end(api, person, ended?.sessionId ?? '')
    await sql`update sessions set idle_expires_at = now() where id = ${idle?.sessionId ?? null}`
    await sql`update sessions set expires_at = now() where id = ${over?.sessionId ?? null}`
    const answers = await Promise.all([other, ended, idle, over, { sessionId: '01920000-0000-7000-8000-000000000000' }].map(async one => await end(api, person, one?.sessionId ?? '')))
    for (const answer of answers) {
      t.equal(answer.statusCode, 404)
      const { requestId, instance, ...problem } = answer.json()
      t.same(problem, { type: 'urn:auth-serve:error:SESSION_NOT_FOUND', title: 'Session not found', status: 404, detail: 'You have no such session.', code: 'SESSION_NOT_FOUND' })
      t.match({ requestId, instance }, { requestId: /./, instance: /sessions/ })
    }
    t.equal((await readMe(api, other.accessToken)).statusCode, 200)
    t.same(await eventsOf(other.sessionId), [])
  })

  t.test('422 for an id that is none, 401 before that', async t => {
    const person = await signUp(api)
    for (const id of ['x', '1', '%00', `${person.sessionId}0`, '{}']) {
      const refused = await end(api, person, id)
      t.equal(refused.statusCode, 422, id)
      t.match(refused.json(), { code: 'INVALID_INPUT', errors: [{ path: '/params/id' }] })
    }
    t.equal((await api.request({ method: 'DELETE', url: '/api/v1/users/me/sessions/x' })).json().code, 'TOKEN_MISSING')
  })

  t.test('of 20 at once one ends it', async t => {
    const person = await signUp(api)
    const elsewhere = await signIn(api, person.email)
    const statuses = (await Promise.all(Array.from({ length: 20 }, async () => await end(api, person, elsewhere.sessionId)))).map(answer => answer.statusCode)
    t.equal(statuses.filter(status => status === 204).length, 1)
    t.equal(statuses.filter(status => status === 404).length, 19)
    t.equal((await eventsOf(elsewhere.sessionId)).length, 1)
  })
})

t.test('where a session is used from', async t => {
  const forwarded = { 'x-forwarded-for': '203.0.113.7' }
  const login = async (api: TestApp, email: string, headers: Record<string, string>) => await post(api, '/auth/login', { email, password: goodPassword }, headers)
  const register = async (api: TestApp): Promise<string> => {
    const email = newEmail()
    await post(api, '/auth/register', { email, password: goodPassword })
    return email
  }
  async function addressAfterLogin (api: TestApp, email: string, headers: Record<string, string>): Promise<unknown> {
    const { accessToken } = (await login(api, email, headers)).json()
    return (await list(api, { authorization: bearer(accessToken) })).json().items[0].ipAddress
  }

  t.test('X-Forwarded-For counts where the peer is trusted, and only its trusted part', async t => {
    const alone = await createTestApp(t)
    const email = await register(alone)
    t.equal(await addressAfterLogin(alone, email, forwarded), '127.0.0.1', 'nobody is trusted by default')
    for (const [trustProxy, header, address] of [
      [['loopback'], '203.0.113.7', '203.0.113.7'],
      [['loopback'], '198.51.100.1, 203.0.113.7', '203.0.113.7'],
      [['loopback', '203.0.113.0/24'], '198.51.100.1, 203.0.113.7', '198.51.100.1'],
      [['10.0.0.0/8'], '203.0.113.7', '127.0.0.1'],
      [['loopback'], '2001:db8::7', '2001:db8::7'],
      [['loopback'], '::ffff:203.0.113.7', '203.0.113.7'],
      [['loopback'], '203.0.113.7:4711', '203.0.113.7'],
      [['loopback'], '<script>', null]
    ] as const) {
      const behind = await createTestApp(t, { trustProxy: [...trustProxy] }, alone.database)
      t.equal(await addressAfterLogin(behind, email, { 'x-forwarded-for': header }), address, `${trustProxy.join()}: ${header}`)
      await behind.app.close()
    }
  })

  t.test('a refresh that rotates and a reauthentication bring address and client up to date, a repeated refresh does not', async t => {
    const api = await createTestApp(t, { trustProxy: ['loopback'] })
    const person = await signUp(api)
    const current = async () => {
      const { items: [{ ipAddress, userAgent, lastUsedAt }] } = (await list(api, person)).json()
      return { from: `${ipAddress} ${userAgent}`, lastUsedAt: Date.parse(lastUsedAt) }
    }
    const from = (n: number) => ({ 'x-forwarded-for': `203.0.113.${n}`, 'user-agent': `client/${n}` })
    const before = await current()
    t.equal((await post(api, '/auth/refresh', { refreshToken: person.refreshToken }, from(1))).statusCode, 200)
    const refreshed = await current()
    t.equal(refreshed.from, '203.0.113.1 client/1')
    t.ok(refreshed.lastUsedAt > before.lastUsedAt)
    t.equal((await post(api, '/auth/refresh', { refreshToken: person.refreshToken }, from(2))).statusCode, 200)
    t.equal((await current()).from, '203.0.113.1 client/1')
    t.equal((await post(api, '/auth/reauthenticate', { password: goodPassword }, { ...person.authorization, ...from(3) })).statusCode, 200)
    t.equal((await current()).from, '203.0.113.3 client/3')
  })
})

t.test('an access token used counts as use of its session, a minute apart, and prolongs nothing', async t => {
  const api = await createTestApp(t, { sessions: { useFlushMs: 20 } })
  const sql = connect(api.database)
  t.teardown(async () => { await sql.end() })
  const person = await signUp(api)
  const read = async () => (await sql`select last_used_at, idle_expires_at, xmin::text from sessions where id = ${person.sessionId}`)[0]
  await sql`update sessions set last_used_at = now() - interval '10 minutes' where id = ${person.sessionId}`
  const before = await read()
  t.equal((await readMe(api, person.accessToken)).statusCode, 200)
  await until('the use was noted', async () => (await read())?.last_used_at > before?.last_used_at)
  const after = await read()
  t.ok(Date.now() - after?.last_used_at < 10_000)
  t.same(after?.idle_expires_at, before?.idle_expires_at)

  // A second person's use, noted in a later batch than these, tells that they have been dealt with.
  for (let n = 0; n < 20; n++) await readMe(api, person.accessToken)
  const witness = await signUp(api)
  await sql`update sessions set last_used_at = now() - interval '10 minutes' where id = ${witness.sessionId}`
  await readMe(api, witness.accessToken)
  await until('a later use was noted', async () => (await sql`select 1 from sessions where id = ${witness.sessionId} and last_used_at > now() - interval '1 minute'`).length === 1)
  t.equal((await read())?.xmin, after?.xmin, 'the row was not written again')

  await sql`update sessions set last_used_at = now() - interval '10 minutes' where id = ${person.sessionId}`
  await readMe(api, person.accessToken)
  await api.app.close()
  t.ok(Date.now() - (await read())?.last_used_at < 10_000, 'what was not written yet is written at the end')
})

t.test('a person may have so many sessions', async t => {
  // Logins of one person at once are counted as failures until they are judged.
  const options = { sessions: { maxPerUser: 3 }, login: { maxFailures: 100 } }
  const api = await createTestApp(t, options)
  const second = await createTestApp(t, options, api.database)
  const sql = connect(api.database)
  t.teardown(async () => { await sql.end() })
  const liveOf = async (userId: string) => (await sql`select id from sessions where user_id = ${userId} and revoked_at is null order by id desc`).map(row => String(row.id))

  t.test('one more ends the oldest, whose tokens die at once', async t => {
    const other = await signUp(api)
    const person = await signUp(api)
    const [first, ...others] = [person, ...await signInTimes(api, person.email, 2)]
    t.equal((await readMe(api, first.accessToken)).statusCode, 200)
    const newest = await signIn(api, person.email)
    t.equal((await readMe(api, first.accessToken)).json().code, 'SESSION_REVOKED')
    t.equal((await refresh(api, first.refreshToken)).json().code, 'REFRESH_TOKEN_INVALID')
    t.same(await liveOf(person.id), [newest, ...others.reverse()].map(({ sessionId }) => sessionId))
    const events = await sql`select session_id, actor_id, details from audit_events where type = 'authn_token_revoked' and target_id = ${person.id}`
    t.same([...events], [{ session_id: first.sessionId, actor_id: person.id, details: { reason: 'session_limit' } }])
    t.same(await liveOf(other.id), [other.sessionId])
  })

  t.test('sessions that are over do not count', async t => {
    const person = await signUp(api)
    const [idle] = await signInTimes(api, person.email, 1)
    await sql`update sessions set idle_expires_at = now() where id = ${idle?.sessionId ?? null}`
    await signInTimes(api, person.email, 2)
    t.equal((await readMe(api, person.accessToken)).statusCode, 200)
  })

  t.test('20 logins at once over two instances leave exactly three', async t => {
    const person = await signUp(api)
    const people = await Promise.all(Array.from({ length: 20 }, async (_, n) => await signIn(n % 2 === 0 ? api : second, person.email)))
    const live = await liveOf(person.id)
    t.equal(live.length, 3)
    for (const { accessToken, sessionId } of [person, ...people]) {
      const expected = live.includes(sessionId) ? 200 : 401
      for (const instance of [api, second]) await until('every instance knows', async () => (await readMe(instance, accessToken)).statusCode === expected)
    }
    const [{ n } = { n: 0 }] = await sql`select count(*)::int as n from audit_events where type = 'authn_token_revoked' and target_id = ${person.id}`
    t.equal(n, 18)
  })

  t.test('logins and logouts everywhere at once get along', async t => {
    const person = await signUp(api)
    const statuses = await Promise.all(Array.from({ length: 10 }, async (_, n) => {
      const instance = n % 2 === 0 ? api : second
      const { authorization } = await signIn(instance, person.email)
      return (await post(instance, '/auth/logout-all', '', authorization)).statusCode
    }))
    t.ok(statuses.every(status => status === 204 || status === 401), String(statuses))
  })

  t.test('a cap that came late ends the oldest ones by and by, and the login goes on', async t => {
    const person = await signUp(api)
    await sql`insert into sessions (id, user_id, expires_at, idle_expires_at, access_until, refresh_hashes)
      select ('01000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, ${person.id}, now() + interval '1 day', now() + interval '1 day', now(), '{}' from generate_series(1, 700) n`
    await signIn(api, person.email)
    t.equal((await liveOf(person.id)).length, 202)
    await signIn(api, person.email)
    t.equal((await liveOf(person.id)).length, 3)
  })
})

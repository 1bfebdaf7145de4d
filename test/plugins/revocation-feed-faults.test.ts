import t, { type Test } from 'tap'
import { startEmbeddedPostgres } from '../../src/db/embedded/index.ts'
import { createTestApp, type TestApp } from '../helpers/app.ts'
import { connect, createTestDatabase, urlOf } from '../helpers/database.ts'
import { createInstances, standingOf, toldOnly, untilStanding } from '../helpers/instances.ts'
import { bearer, post, readMe, refresh, signIn, signUp } from '../helpers/people.ts'
import { createDatabaseProxy, type DatabaseProxy } from '../helpers/proxy.ts'
import { until } from '../helpers/until.ts'
import { freshDataDir, serverPid } from '../src/db/embedded-harness.ts'

const hour = 3_600_000
const never = 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl'

const feedOf = async (api: TestApp): Promise<{ ready: number, status: string, stalenessSeconds?: number }> => {
  const response = await api.request({ method: 'GET', url: '/readiness' })
  return { ready: response.statusCode, ...response.json().dependencies.revocationFeed }
}

const logout = async (api: TestApp, { authorization }: { authorization: Record<string, string> }): Promise<void> => {
  const response = await post(api, '/auth/logout', {}, authorization)
  if (response.statusCode !== 204) throw new Error(response.body)
}

/** An instance whose listening connection alone goes through a proxy. */
async function createFollower (t: Test, location: Awaited<ReturnType<typeof createTestDatabase>>, revocation: object = {}): Promise<{ api: TestApp, listening: DatabaseProxy }> {
  const listening = await createDatabaseProxy(t, location)
  return { listening, api: await createTestApp(t, { database: { listenUrl: urlOf(listening.location) }, revocation: { ...toldOnly, ...revocation } }, location) }
}

t.test('a revocation that commits late bites, also where everything was read in between', async t => {
  const location = await createTestDatabase(t)
  const { a, sql } = await createInstances(t, location)
  const [person, other] = [await signUp(a), await signUp(a)]
  const late = await sql.reserve()
  await late`begin`
  await late`update sessions set revoked_at = now() where id = ${person.sessionId}`
  await late`update users set roles = '{user,editor}' where id = ${other.id}`
  const b = await createTestApp(t, { revocation: toldOnly }, location)
  for (const { accessToken } of [person, other]) t.equal(await standingOf(b, accessToken), 'live')
  await late`select pg_sleep(1)`
  const stillOld = (await refresh(b, other.refreshToken)).json()
  await late`commit`
  late.release()
  for (const api of [a, b]) {
    await untilStanding(api, person.accessToken, 'SESSION_REVOKED')
    for (const token of [other.accessToken, stillOld.accessToken]) await untilStanding(api, token, 'TOKEN_STALE')
  }
  const [row] = await sql`select r.expires_at > s.access_until + interval '59 s' as covers from revocations r, sessions s where r.subject_id = ${other.id} and s.id = ${other.sessionId}`
  t.equal(row?.covers, true, 'it is dated by its commit, so it outlives what was issued before')
})

t.test('an instance that missed what was told learns it when it listens again, or at its start', async t => {
  const location = await createTestDatabase(t)
  const a = await createTestApp(t, {}, location)
  const { api: b, listening } = await createFollower(t, location)
  const [one, two, three] = [await signUp(a), await signUp(a), await signUp(a)]

  listening.freeze()
  await logout(a, one)
  t.equal(await standingOf(b, one.accessToken), 'live', 'nobody told it')
  await listening.cut()
  await logout(a, two)
  await listening.restore()
  for (const person of [one, two]) await untilStanding(b, person.accessToken, 'SESSION_REVOKED')
  t.equal(await standingOf(b, three.accessToken), 'live')
  await logout(a, three)
  await untilStanding(b, three.accessToken, 'SESSION_REVOKED')

  const c = await createTestApp(t, { revocation: toldOnly }, location)
  for (const person of [one, two, three]) t.equal(await standingOf(c, person.accessToken), 'SESSION_REVOKED', 'from its first request on')
})

t.test('a listening connection that is dead and does not say so is found by the heartbeat', async t => {
  const location = await createTestDatabase(t)
  const a = await createTestApp(t, {}, location)
  const { api: b, listening } = await createFollower(t, location, { maxStalenessSeconds: 1 })
  const person = await signUp(a)
  t.match(await feedOf(b), { ready: 200, status: 'up' })
  listening.freeze()
  await untilStanding(b, person.accessToken, 'SERVICE_UNAVAILABLE')
  t.match(await feedOf(b), { ready: 503, status: 'down' })
  const refused = await readMe(b, person.accessToken)
  t.match([refused.statusCode, refused.headers['retry-after']], [503, '1'], 'though its database is there')
  t.equal((await b.request({ method: 'GET', url: '/api/v1/users/me', headers: bearer(never) })).json().code, 'TOKEN_INVALID')
  t.equal((await post(b, '/auth/login', { email: person.email, password: 'not the password' })).json().code, 'INVALID_CREDENTIALS', 'and the rest is served')
  await logout(a, person)
  await listening.restore()
  await untilStanding(b, person.accessToken, 'SESSION_REVOKED')
  t.match(await feedOf(b), { ready: 200, status: 'up' })
  t.ok(b.log.lines().some(({ level, msg }) => level === 'warn' && /DATABASE_LISTEN_URL/.test(String(msg))))
})

t.test('a database that is away at the start: 503, never 401, and it serves by itself once it is there', async t => {
  const location = await createTestDatabase(t)
  const a = await createTestApp(t, {}, location)
  const proxy = await createDatabaseProxy(t, location)
  await proxy.cut()
  const b = await createTestApp(t, { database: { retryMs: 50 }, breakers: { resetMs: 100 }, revocation: toldOnly }, proxy.location)
  const [person, ended] = [await signUp(a), await signUp(a)]
  await logout(a, ended)
  for (const { accessToken } of [person, ended]) {
    const response = await readMe(b, accessToken)
    t.equal(response.statusCode, 503)
    t.match(response.headers['retry-after'], /^\d+$/)
  }
  t.match(await feedOf(b), { ready: 503, status: 'down' })
  await proxy.restore()
  await untilStanding(b, person.accessToken, 'live')
  t.equal(await standingOf(b, ended.accessToken), 'SESSION_REVOKED')
  t.equal(await standingOf(b, never), 'TOKEN_INVALID')
  await until('it is ready', async () => (await feedOf(b)).ready === 200)
  t.type((await feedOf(b)).stalenessSeconds, 'number')
})

t.test('without a database access tokens are taken until the feed is too stale, then 503, and it recovers by itself', async t => {
  const location = await createTestDatabase(t)
  const a = await createTestApp(t, {}, location)
  const proxy = await createDatabaseProxy(t, location)
  const options = { breakers: { resetMs: 100 }, revocation: { ...toldOnly, maxStalenessSeconds: 2 } }
  const b = await createTestApp(t, options, proxy.location)
  const patient = await createTestApp(t, { ...options, revocation: toldOnly }, proxy.location)
  const [person, ended, meanwhile] = [await signUp(a), await signUp(a), await signUp(a)]
  await logout(a, ended)
  for (const api of [b, patient]) await untilStanding(api, ended.accessToken, 'SESSION_REVOKED')
  await proxy.cut()
  for (const api of [b, patient]) {
    t.equal(await standingOf(api, person.accessToken), 'live')
    t.equal(await standingOf(api, ended.accessToken), 'SESSION_REVOKED')
    t.equal((await readMe(api, person.accessToken)).statusCode, 503, 'what needs the database is another matter')
  }
  await logout(a, meanwhile)
  const standings = new Set<string>()
  await until('it is too stale', async () => {
    const standing = await standingOf(b, person.accessToken)
    standings.add(standing)
    t.equal(await standingOf(b, never), 'TOKEN_INVALID')
    return standing === 'SERVICE_UNAVAILABLE'
  })
  t.same([...standings], ['live', 'SERVICE_UNAVAILABLE'])
  const refused = await b.request({ method: 'GET', url: '/api/v1/admin/breakers', headers: person.authorization })
  t.match([refused.statusCode, refused.headers['retry-after']], [503, '1'])
  t.equal(await standingOf(b, ended.accessToken), 'SERVICE_UNAVAILABLE')
  t.equal(await standingOf(patient, person.accessToken), 'live', 'the default bears an outage of one token\'s life')

  await proxy.restore()
  for (const api of [b, patient]) {
    await untilStanding(api, meanwhile.accessToken, 'SESSION_REVOKED')
    t.equal(await standingOf(api, person.accessToken), 'live')
    await until('it is ready', async () => (await feedOf(api)).ready === 200)
  }
})

t.test('a clock that jumps by hours, either way, changes nothing', async t => {
  for (const ms of [5 * hour, -5 * hour]) {
    const location = await createTestDatabase(t)
    const { a, b } = await createInstances(t, location, { revocation: { heartbeatMs: 100, rereadMs: 100 } })
    const [person, ended] = [await signUp(a), await signUp(a)]
    await logout(a, ended)
    await untilStanding(b, ended.accessToken, 'SESSION_REVOKED')
    const real = Date.now
    try {
      Date.now = () => real() + ms
      const seen = Number((await feedOf(b)).stalenessSeconds)
      t.ok(seen < 5, `${seen}`)
      const after = await signIn(a, person.email)
      for (const { accessToken } of [person, after]) t.equal(await standingOf(b, accessToken), 'live')
      await logout(a, person)
      await untilStanding(b, person.accessToken, 'SESSION_REVOKED')
      const late = await createTestApp(t, {}, location)
      for (const api of [a, b, late]) {
        for (const { accessToken } of [person, ended]) t.equal(await standingOf(api, accessToken), 'SESSION_REVOKED')
        t.equal(await standingOf(api, after.accessToken), 'live')
      }
    } finally {
      Date.now = real
    }
  }
})

t.test('a listening connection to another database: never ready, and the log says which setting', async t => {
  const location = await createTestDatabase(t)
  const a = await createTestApp(t, {}, location)
  const elsewhere = await createDatabaseProxy(t, await createTestDatabase(t))
  const b = await createTestApp(t, { database: { listenUrl: urlOf(elsewhere.location) }, revocation: toldOnly }, location)
  const person = await signUp(a)
  t.match(await feedOf(b), { ready: 503, status: 'down' })
  t.equal(await standingOf(b, person.accessToken), 'SERVICE_UNAVAILABLE')
  t.equal(await standingOf(b, never), 'TOKEN_INVALID')
  t.equal(b.log.lines().filter(({ level, msg }) => level === 'warn' && /DATABASE_LISTEN_URL/.test(String(msg))).length, 1)
})

t.test('PostgreSQL killed and started again: a logout right after it is seen everywhere', async t => {
  const dataDir = await freshDataDir(t)
  const embedded = await startEmbeddedPostgres({ dataDir, log: { info () {}, warn () {} }, fsync: false })
  t.teardown(async () => { await embedded.close() })
  const [a, b] = [await createTestApp(t, { revocation: toldOnly }, embedded.connection), await createTestApp(t, { revocation: toldOnly }, embedded.connection)]
  const [before, person, alive] = [await signUp(a), await signUp(a), await signUp(a)]
  await logout(a, before)
  await untilStanding(b, before.accessToken, 'SESSION_REVOKED')
  process.kill(await serverPid(dataDir), 'SIGKILL')
  await until('the logout is taken', async () => (await post(a, '/auth/logout', {}, person.authorization)).statusCode === 204)
  await untilStanding(b, person.accessToken, 'SESSION_REVOKED')
  for (const api of [a, b]) {
    t.equal(await standingOf(api, before.accessToken), 'SESSION_REVOKED')
    t.equal(await standingOf(api, alive.accessToken), 'live')
  }
  const sql = connect(embedded.connection)
  t.teardown(async () => { await sql.end() })
  // Sessions of the server that was killed may have outlived it for a moment, and taken the logout.
  await until('the new server takes connections', async () => await sql`select 1`.then(() => true, () => false))
  await sql`update users set is_active = false where id = ${alive.id}`
  for (const api of [a, b]) await untilStanding(api, alive.accessToken, 'SESSION_REVOKED')
})

import { decodeJwt } from 'jose'
import t from 'tap'
import { createTestApp } from '../helpers/app.ts'
import { connect, createTestDatabase } from '../helpers/database.ts'
import { standingOf, toldOnly, untilStanding } from '../helpers/instances.ts'
import { goodPassword, post, readMe, refresh, signIn, signUp } from '../helpers/people.ts'
import { startPgbouncer } from '../helpers/pgbouncer.ts'

t.test('behind PgBouncer by transaction, with a direct listening connection, everything works on every instance', async t => {
  const location = await createTestDatabase(t, { empty: true })
  const pooler = await startPgbouncer(t, location)
  const database = { listenUrl: pooler.directUrl, preparedStatements: false }
  const start = async () => await createTestApp(t, { database, revocation: toldOnly }, { url: pooler.url })
  const [a, b] = await Promise.all([start(), start()])
  for (const api of [a, b]) t.equal((await api.request({ method: 'GET', url: '/readiness' })).statusCode, 200, 'migrated and ready')

  const person = await signUp(a)
  t.equal((await readMe(b, person.accessToken)).statusCode, 200)
  const elsewhere = await signIn(b, person.email)
  const pairs = await Promise.all(Array.from({ length: 20 }, async (_, n) => (await refresh(n % 2 === 0 ? a : b, person.refreshToken)).json()))
  t.equal(new Set(pairs.map(({ refreshToken }) => refreshToken)).size, 1)
  t.equal((await a.request({ method: 'PATCH', url: '/api/v1/users/me', payload: { firstName: 'Ada' }, headers: person.authorization })).json().firstName, 'Ada')
  t.equal((await post(a, '/auth/login', { email: person.email, password: 'not the password' })).json().code, 'INVALID_CREDENTIALS')

  t.equal((await post(a, '/auth/logout', {}, person.authorization)).statusCode, 204)
  await untilStanding(b, person.accessToken, 'SESSION_REVOKED')
  t.equal(await standingOf(b, elsewhere.accessToken), 'live')
  const sql = connect(location)
  t.teardown(async () => { await sql.end() })
  await sql`update users set roles = '{user,editor}' where id = ${person.id}`
  await untilStanding(b, elsewhere.accessToken, 'TOKEN_STALE')
  t.match(decodeJwt((await refresh(a, elsewhere.refreshToken)).json().accessToken), { roles: ['user', 'editor'] })
  t.equal((await post(b, '/users/me/password', { currentPassword: goodPassword, newPassword: 'another engine weaves algebra' }, (await signIn(b, person.email)).authorization)).statusCode, 204)
  await untilStanding(a, elsewhere.accessToken, 'SESSION_REVOKED')
})

t.test('a listening connection through PgBouncer hears nothing: never ready, and the log says why', async t => {
  const location = await createTestDatabase(t)
  const pooler = await startPgbouncer(t, location)
  const direct = await createTestApp(t, {}, location)
  const person = await signUp(direct)
  const pooled = await createTestApp(t, { database: { preparedStatements: false }, revocation: toldOnly }, { url: pooler.url })
  const readiness = await pooled.request({ method: 'GET', url: '/readiness' })
  t.match([readiness.statusCode, readiness.json().dependencies], [503, { database: { status: 'up' }, revocationFeed: { status: 'down' } }])
  t.equal((await readMe(pooled, person.accessToken)).statusCode, 503)
  t.equal((await readMe(pooled, 'x.y.z')).statusCode, 401)
  t.ok(pooled.log.lines().some(({ level, msg }) => level === 'warn' && /DATABASE_LISTEN_URL.*pooler/.test(String(msg))))
})

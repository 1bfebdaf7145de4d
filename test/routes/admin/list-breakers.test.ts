import t from 'tap'
import { createTestApp } from '../../helpers/app.ts'
import { connect, createTestDatabase } from '../../helpers/database.ts'
import { signIn, signUp } from '../../helpers/people.ts'
import { createDatabaseProxy } from '../../helpers/proxy.ts'
import { until } from '../../helpers/until.ts'

t.test('GET /admin/breakers', async t => {
  const location = await createTestDatabase(t)
  const proxy = await createDatabaseProxy(t, location)
  const api = await createTestApp(t, { breakers: { threshold: 3, resetMs: 100 } }, proxy.location)
  const sql = connect(location)
  t.teardown(async () => { await sql.end() })
  const list = async (headers?: Record<string, string>) => await api.request({ method: 'GET', url: '/api/v1/admin/breakers', headers })

  const person = await signUp(api)
  t.equal((await list()).json().code, 'TOKEN_MISSING')
  const refused = await list(person.authorization)
  t.equal(refused.statusCode, 403)
  t.equal(refused.json().code, 'FORBIDDEN')
  t.equal(api.log.lines().filter(line => line.event === 'authz_fail' && line.actorId === person.id).length, 1)

  await sql`update users set roles = '{user,admin}' where id = ${person.id}`
  const admin = await signIn(api, person.email)
  const response = await list(admin.authorization)
  t.equal(response.statusCode, 200)
  t.match(response.json(), { items: [{ name: 'database', state: 'closed', failureCount: 0, rejectedCount: 0, lastFailureAt: null, openedAt: null, responseTimeMs: { mean: Number, p95: Number } }], nextCursor: null })

  await proxy.cut()
  const me = async () => await api.request({ method: 'GET', url: '/api/v1/users/me', headers: admin.authorization })
  for (let n = 0; n < 6; n++) t.equal((await me()).statusCode, 503)
  await proxy.restore()
  await until('served again', async () => (await me()).statusCode === 200)
  const [breaker] = (await list(admin.authorization)).json().items
  t.match(breaker, { state: 'closed', lastFailureAt: /Z$/, openedAt: null })
  t.ok(breaker.failureCount >= 3 && breaker.rejectedCount >= 1)
  const moves = api.log.lines().filter(line => line.breaker === 'database').map(line => `${line.from} ${line.to}`)
  t.match(moves, ['closed open', 'open halfOpen'])
  t.equal(moves.at(-1), 'halfOpen closed')
})

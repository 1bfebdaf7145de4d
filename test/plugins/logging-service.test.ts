import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { createTestApp, testSecret, type TestApp } from '../helpers/app.ts'
import { connect, createTestDatabase } from '../helpers/database.ts'
import { newEmail, post, signUp } from '../helpers/people.ts'
import { createDatabaseProxy, tcpUrlOf } from '../helpers/proxy.ts'
import { cli, startService, temporaryFolder } from '../helpers/service.ts'

const eventsIn = (api: TestApp): string[] =>
  api.log.lines().filter(line => line.msg === 'security event').map(line => `${String(line.requestId)} ${String(line.event)} ${String(line.outcome)}`)

t.test('each security event in the audit trail has one line under the same name and request id', async t => {
  const api = await createTestApp(t, { login: { maxFailures: 2 } })
  const person = await signUp(api)
  await api.request({ method: 'PATCH', url: '/api/v1/users/me', payload: { firstName: 'Ada' }, headers: person.authorization })
  for (let i = 0; i < 3; i++) await post(api, '/auth/login', { email: person.email, password: 'not the password' })
  await post(api, '/auth/login', { email: newEmail(), password: 'not the password' })
  const stranger = await signUp(api)
  await post(api, '/auth/logout', {}, stranger.authorization)

  const sql = connect(api.database)
  t.teardown(async () => { await sql.end() })
  const rows = await sql<Array<{ type: string, outcome: string, request_id: string }>>`select type, outcome, request_id from audit_events`
  const logged = eventsIn(api)
  t.same(rows.map(row => `${row.request_id} ${row.type} ${row.outcome}`).filter(row => logged.filter(line => line === row).length !== 1), [])
  t.equal(new Set(logged).size, logged.length, 'and no line stands twice')
  const types = new Set(logged.map(line => line.split(' ')[1]))
  for (const type of ['user_created', 'user_updated', 'authn_login_success', 'authn_login_fail', 'authn_login_lock', 'session_created', 'authn_token_revoked']) t.ok(types.has(type), type)
  t.match(logged.find(line => line.includes('authn_login_fail')), /failure$/)
})

t.test('a 5xx is told with its stack, under one request id in lines, header and answer', async t => {
  const database = await createTestDatabase(t)
  const proxy = await createDatabaseProxy(t, database)
  const api = await createTestApp(t, {}, proxy.location)
  const person = await signUp(api)
  const sql = connect(database)
  t.teardown(async () => { await sql.end() })
  const ask = async (requestId: string) => {
    const response = await api.request({ method: 'POST', url: '/api/v1/auth/login', payload: { email: person.email, password: 'whatever it is' }, headers: { 'x-request-id': requestId } })
    t.equal(response.headers['x-request-id'], requestId)
    t.equal(response.json().requestId, requestId)
    t.notMatch(response.body, /stack|select|\bat /)
    const lines = api.log.lines().filter(line => line.requestId === requestId)
    t.match(lines.find(line => line.msg === 'request failed'), { level: 'error', err: { type: /./, stack: /\n? {4}at .+/ } })
    t.match(lines.filter(line => line.msg === 'request completed'), [{ level: 'error', status: response.statusCode, errorCode: response.json().code }])
    t.equal(lines.filter(line => line.msg === 'request completed').length, 1)
    return response.statusCode
  }
  await sql.unsafe(`create function refuse() returns trigger language plpgsql as $$ begin raise exception 'canary'; end $$;
    create trigger refuse before insert or update on login_attempts for each row execute function refuse()`)
  t.equal(await ask('broken-1'), 500)
  await proxy.cut()
  t.equal(await ask('outage-1'), 503)
  for (const secret of [person.accessToken, 'canary']) t.notOk(api.log.text().includes(secret))
})

for (const [name, statement] of Object.entries({
  'an uncaught exception': 'throw error',
  'an unhandled rejection': 'Promise.reject(error)'
})) {
  t.test(`${name} is one JSON line with its stack, without secrets, and ends the process`, async t => {
    const folder = await temporaryFolder(t)
    const trap = join(folder, 'trap.mjs')
    await writeFile(trap, `process.once('SIGWINCH', () => {
      const error = new Error('connecting to postgres://user:canary@host/ with Bearer canary failed')
      ${statement}
    })`)
    const env = { DATABASE_URL: await tcpUrlOf(t, await createTestDatabase(t)), AUTH_SECRET: testSecret }
    const service = await startService(t, env, [process.execPath, '--import', trap, cli, 'serve'])
    service.child.kill('SIGWINCH')
    t.equal(await service.exited, 1)
    const output = service.output()
    const lines: Array<Record<string, unknown>> = output.split('\n').filter(line => line !== '').map(line => JSON.parse(line))
    const fatal = lines.filter(line => line.level === 'fatal')
    t.equal(fatal.length, 1)
    t.match(fatal[0], { err: { type: 'Error', message: /postgres:\/\/\[redacted\]@host\/ with \[redacted\] failed/, stack: / {4}at / } })
    t.notMatch(output, 'canary')
  })
}

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { access, readdir, readFile, readlink, stat } from 'node:fs/promises'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import t from 'tap'
import { command } from './helpers/command.ts'
import { cleanEnv, cli, run, startService, temporaryFolder } from './helpers/service.ts'
import { connect, createTestDatabase } from './helpers/database.ts'
import { tcpUrlOf } from './helpers/proxy.ts'
import { until } from './helpers/until.ts'
import { version } from '../src/version.ts'

const secret = 'a-secret-of-the-test-suite-that-is-long-enough'
const cheap = { ARGON2_MEMORY_KIB: '1024', ARGON2_TIME_COST: '1' }
/** In this process; what starts or ends one is tested as one. */
const auth = async (args: string[], env: Record<string, string> = {}, input?: string) => await command(args, env, { input })
const asProcess = async (args: string[], env: Record<string, string> = {}, input?: string) => await run([cli, ...args], env, input)

t.test('help, version and misuse', async t => {
  const help = await auth(['--help'])
  t.equal(help.code, 0)
  for (const command of ['serve', 'migrate', 'users', 'keys', 'audit', 'secret', 'openapi']) t.match(help.stdout, command)
  t.equal((await auth(['users', 'create', '--help'])).code, 0)
  t.same(await asProcess(['--version']), { code: 0, stdout: `${version}\n`, stderr: '' })
  t.match(await asProcess(['nothing']), { code: 2, stdout: '', stderr: /unknown command/ })
  for (const args of [['nothing'], ['users', 'create'], ['users', 'create', '--email', 'a@b.example', '--role', 'king'], ['serve', '--loud'], ['migrate', 'sideways']]) {
    const { code, stdout, stderr } = await auth(args)
    t.equal(code, 2, args.join(' '))
    t.equal(stdout, '')
    t.match(stderr, /error|Usage/)
  }
})

t.test('a signal ends a command as it ends others, and leaves no file behind', async t => {
  const folder = await temporaryFolder(t)
  const child = spawn(process.execPath, [cli, 'users', 'import', '--dry-run', '-'], { env: cleanEnv({ TMPDIR: folder, DATA_DIR: join(folder, 'data') }) })
  child.stdin.write('{"email":"ada@example.com"}\n')
  // The file has no name any more once it is open.
  const open = async () => await Promise.all((await readdir(`/proc/${child.pid}/fd`)).map(async fd => await readlink(`/proc/${child.pid}/fd/${fd}`).catch(() => '')))
  await until('what is piped in is kept', async () => (await open()).some(path => path.startsWith(folder) && path.endsWith('(deleted)')))
  const ended = once(child, 'close')
  child.kill('SIGINT')
  t.same(await ended, [null, 'SIGINT'])
  t.same(await readdir(folder), [])
})

t.test('secret prints one that production accepts, a new one each time', async t => {
  const [one, two] = [await auth(['secret']), await auth(['secret'])]
  t.match(one.stdout, /^[\w-]{43,}\n$/)
  t.not(one.stdout, two.stdout)
})

t.test('openapi prints the document without a database', async t => {
  const json = await auth(['openapi'])
  t.equal(json.code, 0)
  const document = JSON.parse(json.stdout)
  t.equal(document.openapi, '3.1.0')
  t.same(Object.keys(document.paths).sort(), [
    '/', '/.well-known/jwks.json', '/.well-known/revocations.json',
    '/api/v1/admin/breakers', '/api/v1/admin/events', '/api/v1/admin/keys', '/api/v1/admin/keys/rotate', '/api/v1/admin/keys/{kid}/revoke', '/api/v1/admin/outbox', '/api/v1/admin/outbox/{id}/retry',
    ...['', '/{id}', '/{id}/logout', '/{id}/password-reset', '/{id}/sessions', '/{id}/sessions/{sessionId}', '/{id}/unlock'].map(path => `/api/v1/admin/users${path}`),
    ...['', '/{id}', '/{id}/deliveries', '/{id}/deliveries/{eventId}/retry', '/{id}/rotate-secret', '/{id}/test'].map(path => `/api/v1/admin/webhooks${path}`),
    ...[
      'email/change/confirm', 'email/change/undo', 'email/resend', 'email/verify', 'introspect', 'invitation/accept', 'login', 'logout', 'logout-all',
      'password/forgot', 'password/reset', 'reauthenticate', 'refresh', 'register'
    ].map(name => `/api/v1/auth/${name}`),
    '/api/v1/users/me', '/api/v1/users/me/email', '/api/v1/users/me/events', '/api/v1/users/me/password', '/api/v1/users/me/sessions', '/api/v1/users/me/sessions/{id}',
    '/health', '/metrics', '/readiness'
  ])
  const yaml = await auth(['openapi', '--yaml'], { DOCS_ENABLED: 'false' })
  t.match(yaml.stdout, /^openapi: 3\.1\.0/)
})

t.test('a bad configuration is told whole, with exit code 2', async t => {
  const { code, stderr } = await asProcess(['serve'], { NODE_ENV: 'production', PORT: 'x', AUTH_SECRET: 'short' })
  t.equal(code, 2)
  for (const key of ['PORT', 'AUTH_SECRET', 'DATABASE_URL']) t.match(stderr, key)
  t.notMatch(stderr, /\bat .*:\d+:\d+/)
})

t.test('migrate up, status and down on a database of one\'s own', async t => {
  const location = await createTestDatabase(t, { empty: true })
  const env = { DATABASE_URL: await tcpUrlOf(t, location) }
  t.match(await auth(['migrate', 'status'], env), { code: 0, stdout: /^pending 0000_initial\n/ })
  t.match(await auth(['migrate', 'up'], env), { code: 0, stdout: /^applied 0000_initial\n/ })
  t.match(await auth(['migrate', 'up'], env), { code: 0, stdout: 'nothing to apply\n' })
  t.match(await auth(['migrate', 'status'], env), { code: 0, stdout: /^applied 0000_initial\n/ })
  t.match(await auth(['migrate', 'down'], env), { code: 2, stdout: '', stderr: /--yes/ })
  t.match(await auth(['migrate', 'down', '--yes'], env), { code: 0, stdout: /^took back / })
  t.match(await auth(['migrate', 'status'], { DATABASE_URL: 'postgres://localhost:1/none' }), { code: 1, stdout: '', stderr: /ECONNREFUSED/ })
})

t.test('users create adds a person who can sign in', async t => {
  const location = await createTestDatabase(t)
  const env = { DATABASE_URL: await tcpUrlOf(t, location), AUTH_SECRET: secret, ...cheap }
  const created = await asProcess(['users', 'create', '--email', 'root@example.com', '--role', 'admin', '--password-stdin'], env, 'the engine weaves algebra\n')
  t.match(created, { code: 0, stdout: /^[0-9a-f-]{36}\n$/, stderr: '' })
  const again = await auth(['users', 'create', '--email', 'ROOT@example.com', '--password-stdin'], env, 'the engine weaves algebra')
  t.match(again, { code: 1, stdout: '', stderr: /exists already/ })
  t.match(await auth(['users', 'create', '--email', 'weak@example.com', '--password-stdin'], env, 'short'), { code: 1, stderr: /at least 8/ })
  t.match(await auth(['users', 'create', '--email', 'x@example.com'], env), { code: 2, stderr: /--password-stdin/ })
  const service = await startService(t, env)
  const response = await fetch(`${service.url}/api/v1/auth/login`, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ email: 'root@example.com', password: 'the engine weaves algebra' })
  })
  t.match(await response.json(), { user: { roles: ['user', 'admin'] } })
  const sql = connect(location)
  const rows = await sql`select user_agent, type from audit_events order by id limit 1`
  await sql.end()
  t.match([...rows], [{ user_agent: 'auth-serve users create', type: 'user_created' }])
})

t.test('serve: kill -9 right after a 201 loses nobody, SIGTERM ends it with 0', async t => {
  const dataDir = await temporaryFolder(t)
  const env = { DATA_DIR: dataDir, ...cheap }
  const body = JSON.stringify({ email: 'ada@example.com', password: 'the engine weaves algebra' })
  const post = async (url: string) => await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  const first = await startService(t, env)
  t.equal((await post(`${first.url}/api/v1/auth/register`)).status, 201)
  first.child.kill('SIGKILL')
  await first.exited
  const second = await startService(t, env)
  t.equal((await post(`${second.url}/api/v1/auth/login`)).status, 200)
  t.equal((await stat(join(dataDir, 'secret'))).mode & 0o777, 0o600)
  second.child.kill('SIGTERM')
  t.equal(await second.exited, 0)
  const lines = second.output().trim().split('\n').map(line => JSON.parse(line))
  for (const event of ['sys_startup', 'sys_shutdown']) t.ok(lines.some(line => line.event === event), event)
  t.equal((await auth(['migrate', 'status'], env)).code, 0, 'commands start the database by themselves')
})

t.test('serve: what keeps it from starting is told, with exit code 1 and nothing left behind', async t => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  t.teardown(() => { taken.close() })
  const address = taken.address()
  const port = String(typeof address === 'object' ? address?.port : 0)
  const dataDir = await temporaryFolder(t)
  const refused = await asProcess(['serve'], { DATA_DIR: dataDir, PORT: port, ...cheap })
  t.match(refused, { code: 1, stderr: /cannot listen.*Choose another HOST or PORT/ })
  await t.rejects(access(join(dataDir, 'pg/socket/.s.PGSQL.5432')), { code: 'ENOENT' }, 'the database was stopped')
  t.match(await asProcess(['serve'], { DATA_DIR: dataDir, LOG_FILE: join(dataDir, 'none/x.log') }), { code: 1, stderr: /folder does not exist/ })
})

t.test('serve: LOG_FILE gets every line, SIGUSR2 toggles debug', async t => {
  const file = join(await temporaryFolder(t), 'service.log')
  const service = await startService(t, { DATABASE_URL: await tcpUrlOf(t, await createTestDatabase(t)), AUTH_SECRET: secret, LOG_FILE: file, ...cheap })
  const wrong = async () => await fetch(`${service.url}/api/v1/auth/login`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' })
  await wrong()
  service.child.kill('SIGUSR2')
  await until('debug lines come', async () => { await wrong(); return service.output().includes('input refused') })
  service.child.kill('SIGTERM')
  t.equal(await service.exited, 0)
  const [written = ''] = await Promise.all((await readdir(dirname(file))).map(async name => await readFile(join(dirname(file), name), 'utf8')))
  t.equal(written, service.output())
})

t.test('four services at once on an empty database all become ready', async t => {
  const env = { DATABASE_URL: await tcpUrlOf(t, await createTestDatabase(t, { empty: true })), AUTH_SECRET: secret, ...cheap }
  const services = await Promise.all(Array.from({ length: 4 }, async () => await startService(t, env)))
  t.equal(services.length, 4)
})

import { PassThrough } from 'node:stream'
import t from 'tap'
import { createProgress } from '../src/cli/progress.ts'
import { parseHash } from '../src/passwords/phc.ts'
import { calibrate } from '../src/passwords/calibrate.ts'
import { createTestApp, testSecret } from './helpers/app.ts'
import { command } from './helpers/command.ts'
import { connect, createTestDatabase } from './helpers/database.ts'
import { goodPassword, post, readMe, signIn, signUp } from './helpers/people.ts'
import { tcpUrlOf } from './helpers/proxy.ts'
import { until } from './helpers/until.ts'

t.test('every command has help with what it takes, and each group has examples', async t => {
  for (const group of ['migrate', 'users', 'keys', 'audit', 'db', 'hash']) {
    const { code, stdout } = await command([group, '--help'])
    t.equal(code, 0)
    t.match(stdout, /\nExamples:\n {2}auth-serve/, group)
    for (const [, name = ''] of stdout.matchAll(/^ {2}([a-z]+) .*$/gm)) {
      if (name !== 'help') t.match(await command([group, name, '--help']), { code: 0, stdout: new RegExp(`^Usage: auth-serve ${group} ${name}`) })
    }
  }
  t.match((await command(['--help'])).stdout, /Exit codes: 0 done, 1 failed, 2 misuse/)
})

t.test('a database that lacks what is needed: told as that, and made good by migrate up', async t => {
  const location = await createTestDatabase(t, { empty: true })
  const env = { DATABASE_URL: await tcpUrlOf(t, location), AUTH_SECRET: testSecret }
  for (const args of [['users', 'list', '--json'], ['audit', 'verify'], ['audit', 'export']]) {
    t.match(await command(args, env), { code: 1, stdout: '', stderr: /^The database lacks .* migrate up/ }, args.join(' '))
  }
  t.match(await command(['migrate', 'up', '--json'], env), { code: 0 })
  const sql = connect(location)
  t.teardown(async () => { await sql.end() })
  const months = async () => (await sql`select inhrelid::regclass::text as name from pg_inherits where inhparent = 'audit_events'::regclass order by 1`).map(row => String(row.name))
  const made = await months()
  for (const month of made) await sql`drop table ${sql(month)}`
  const several = await Promise.all(Array.from({ length: 4 }, async () => await command(['migrate', 'up'], env)))
  for (const one of several) t.match(one, { code: 0, stdout: 'nothing to apply\n', stderr: '' })
  t.same(await months(), made, 'the months of the trail, where nothing made them for long')
  for (const month of made) await sql`drop table ${sql(month)}`
  t.match(await command(['users', 'create', '--email', 'ada@example.com', '--invite'], env), { code: 0 })
  await sql`revoke all on auth_serve_migrations from current_user`
  t.match(await command(['migrate', 'up'], env), { code: 1, stdout: '', stderr: /^The role of DATABASE_URL may not do this: permission denied for table auth_serve_migrations\. / })
  await sql`grant all on auth_serve_migrations to current_user`
  t.match(await command(['users', 'list'], { AUTH_SECRET: testSecret, DATA_DIR: '/proc/nowhere' }), { code: 1, stdout: '', stderr: /^A file or folder cannot be used: ENOENT/ })
  t.match(await command(['users', 'create', '--email', 'bob@example.com'], env, { terminal: true }), { code: 1, stdout: '', stderr: /No password was given/ })
})

t.test('users beside a service that runs', async t => {
  const location = await createTestDatabase(t)
  const env = { DATABASE_URL: await tcpUrlOf(t, location), AUTH_SECRET: testSecret, ROLES: 'support=users:read' }
  const users = async (...args: string[]) => await command(['users', ...args], env)
  const list = async (...args: string[]) => JSON.parse((await users('list', '--json', ...args)).stdout)
  const sql = connect(location)
  t.teardown(async () => { await sql.end() })
  t.same(await list(), { items: [], nextCursor: null })
  t.match(await users('list'), { code: 0, stdout: /^ID +ACTIVE +CREATED +LAST LOGIN +EMAIL +ROLES\n$/, stderr: '' })
  const api = await createTestApp(t, { mail: { cooldownSeconds: 0 } }, location)
  const [ada, bob, eve] = [await signUp(api), await signUp(api), await signUp(api)]

  await t.test('disable signs out at once and lets nobody in, enable undoes it', async t => {
    const disabled = await users('disable', ada.email.toUpperCase())
    t.match(disabled, { code: 0, stdout: `disabled ${ada.id}\n`, stderr: '' })
    await until('the token is refused', async () => (await readMe(api, ada.accessToken)).statusCode === 401)
    t.equal((await post(api, '/auth/refresh', { refreshToken: ada.refreshToken })).json().code, 'REFRESH_TOKEN_INVALID')
    t.equal((await post(api, '/auth/login', { email: ada.email, password: goodPassword })).json().code, 'ACCOUNT_DISABLED')
    t.match(await users('disable', ada.id), { code: 0 }, 'once more changes nothing')
    t.match((await list('--disabled')).items, [{ id: ada.id, isActive: false }])
    t.equal((await list('--active')).items.length, 2)
    t.match(JSON.parse((await users('enable', ada.id, '--json')).stdout), { id: ada.id, isActive: true })
    t.equal((await readMe(api, ada.accessToken)).statusCode, 401, 'what was issued before stays refused')
    await signIn(api, ada.email)
    const events = await sql`select type, actor_id, target_id, user_agent, details from audit_events where user_agent like 'auth-serve users %able' order by id`
    t.match([...events], [
      { type: 'user_updated', actor_id: null, target_id: ada.id, user_agent: 'auth-serve users disable', details: { changed: ['isActive'] } },
      { type: 'authz_admin', actor_id: null, target_id: ada.id, details: { action: 'user_disabled' } },
      { type: 'user_updated', user_agent: 'auth-serve users enable' },
      { type: 'authz_admin', details: { action: 'user_enabled' } }
    ])
    t.equal(events.length, 4)
  })

  await t.test('the last active administrator stays one', async t => {
    await sql`update users set roles = '{user,admin}' where id in ${sql([ada.id, bob.id])}`
    const both = await Promise.all([users('disable', ada.id), users('disable', bob.id)])
    t.same(both.map(({ code }) => code).sort(), [0, 1], 'also where two are disabled at the same moment')
    t.match(both.find(({ code }) => code === 1), { stdout: '', stderr: /last active administrator; make somebody else one first/ })
    t.equal((await list('--role', 'admin', '--active')).items.length, 1)
  })

  await t.test('unlock opens a login that failures closed', async t => {
    const login = async (password: string) => (await post(api, '/auth/login', { email: eve.email, password })).statusCode
    for (let n = 0; n < 5; n++) await login('not the password')
    t.equal(await login(goodPassword), 429)
    t.match(await users('unlock', eve.email), { code: 0, stdout: `unlocked ${eve.id}\n`, stderr: '' })
    t.equal(await login(goodPassword), 200)
  })

  await t.test('create: any configured role, an invitation instead of a password', async t => {
    const created = await command(['users', 'create', '--email', 'ann@example.com', '--role', 'support', '--password-stdin', '--json'], { ...env, ARGON2_MEMORY_KIB: '1024' }, { input: goodPassword })
    t.match(JSON.parse(created.stdout), { email: 'ann@example.com', emailVerified: true, roles: ['user', 'support'] })
    t.match(await users('create', '--email', 'x@example.com', '--role', 'king', '--invite'), { code: 2, stdout: '', stderr: /no role king; there are user, admin, support/ })
    t.match(await users('create', '--email', 'x@example.com', '--invite', '--password-stdin'), { code: 2, stdout: '' })
    t.match(await users('create', '--email', 'x@', '--invite'), { code: 1, stdout: '', stderr: /Give an e-mail address/ })
    const invited = await users('create', '--email', 'Cy@example.com', '--role', 'admin', '--invite', '--json')
    t.match(JSON.parse(invited.stdout), { email: 'Cy@example.com', emailVerified: false, roles: ['user', 'admin'] })
    t.match([...await sql`select template, recipient from outbox where template = 'invitation'`], [{ template: 'invitation', recipient: 'cy@example.com' }])
    t.match(await users('create', '--email', 'CY@example.com', '--invite'), { code: 1, stdout: '', stderr: /exists already/ })
    t.match(await users('disable', 'cy@example.com'), { code: 0 }, 'who was invited could not administrate yet')
  })

  await t.test('list: one page after the other, by address, as a table', async t => {
    const all = (await list()).items
    const first = await list('--limit', '2')
    t.equal(first.items.length, 2)
    const second = await list('--limit', '100', '--cursor', first.nextCursor)
    t.same([...first.items, ...second.items], all)
    t.equal(second.nextCursor, null)
    t.match(await users('list', '--limit', '1'), { code: 0, stdout: new RegExp(`\\n${all[0].id} `), stderr: /^There are more: --cursor \S+\n$/ })
    t.match((await list('--email', 'ANN@example.com')).items, [{ email: 'ann@example.com' }])
    t.same((await list('--email', 'nobody@example.com')).items, [])
    await sql`insert into users (id, email, email_canonical) select gen_random_uuid(), n || '@many.example', n || '@many.example' from generate_series(1, 1100) n`
    t.equal(new Set((await list()).items.map(({ id }: { id: string }) => id)).size, all.length + 1100, 'everybody once, over several pages')
    t.equal((await users('list')).stdout.trim().split('\n').length, all.length + 1101)
  })

  await t.test('what is not there or not meant is told', async t => {
    for (const args of [['disable', 'nobody@example.com'], ['enable', '01920000-0000-7000-8000-000000000001'], ['unlock', 'no id'], ['disable', '%00']]) {
      t.match(await users(...args), { code: 1, stdout: '', stderr: /^There is no user / }, args.join(' '))
    }
    for (const args of [['list', '--limit', '0'], ['list', '--cursor', 'x'], ['list', '--email', 'x'], ['list', '--role', 'king'], ['list', '--active', '--disabled'], ['disable'], ['unlock', 'a', 'b']]) {
      t.match(await users(...args), { code: 2, stdout: '', stderr: /error/ }, args.join(' '))
    }
  })
})

t.test('what destroys something asks first', async t => {
  const env = { DATABASE_URL: 'postgres://localhost:1/none', AUTH_SECRET: testSecret }
  for (const args of [['keys', 'revoke', 'kid'], ['migrate', 'down'], ['db', 'restore', 'file.gz']]) {
    t.match(await command(args, env), { code: 2, stdout: '', stderr: /no terminal to ask on; say --yes/ }, args.join(' '))
    for (const input of ['n\n', '\n', 'yesterday\n', '']) t.match(await command(args, env, { input, terminal: true }), { code: 1, stdout: '', stderr: /\[y\/N\] [^]*Nothing was changed\.\n$/ }, `${args.join(' ')} ${input}`)
  }
  for (const input of ['y\n', 'YES\n']) t.match(await command(['keys', 'revoke', 'kid'], env, { input, terminal: true }), { code: 1, stderr: /cannot be reached/ }, 'a yes goes on')
})

t.test('progress: plain lines now and then, a bar on a terminal', async t => {
  const lines = new PassThrough()
  const plain = createProgress(lines, { title: 'importing', total: 4000, intervalMs: 0 })
  plain.update(1000)
  plain.update(4000)
  plain.stop()
  t.equal(String(lines.read()), 'importing: 1,000 of 4,000 (25 %)\nimporting: 4,000 of 4,000 (100 %)\n')
  const short = createProgress(lines, { title: 'importing' })
  short.update(10)
  short.stop()
  t.equal(lines.read(), null, 'short work says nothing')
  const terminal = Object.assign(new PassThrough(), { isTTY: true })
  const bar = createProgress(terminal, { title: 'importing', total: 2000 })
  bar.update(1000)
  bar.stop()
  t.match(String(terminal.read()), /importing \[=+-+\] 50% 1,000\/2,000/)
})

t.test('hash calibrate', async t => {
  const { code, stdout, stderr } = await command(['hash', 'calibrate', '--target-ms', '1'])
  t.equal(code, 0)
  t.match(stdout, /^MEMORY KIB +TIME COST +PARALLELISM +MS\n19456 +2 +1 +[\d.]+\n\n# .* for one hash\nARGON2_MEMORY_KIB=19456\nARGON2_TIME_COST=2\nARGON2_PARALLELISM=1\n$/, 'never less than OWASP asks for')
  t.match(stderr, /Not even the least/)
  t.match(JSON.parse((await command(['hash', 'calibrate', '--target-ms', '1', '--memory-kib', '7168', '--json'])).stdout), { recommended: { memoryKib: 7168, timeCost: 5 }, withinTarget: false })
  for (const args of [['--memory-kib', '7167'], ['--target-ms', '0'], ['--target-ms', 'soon']]) t.match(await command(['hash', 'calibrate', ...args]), { code: 2, stdout: '' }, args.join(' '))
  const burn = async ({ memoryKib, timeCost }: { memoryKib: number, timeCost: number }) => {
    const end = performance.now() + memoryKib * timeCost / 19_456
    while (performance.now() < end);
  }
  const free = await calibrate({ hash: burn, targetMs: 1000, maxMemoryKib: 60_000 })
  t.match(free, { recommended: { memoryKib: 58_368, timeCost: 2 }, withinTarget: true }, 'as much memory as there may be')
  t.same(free.measured.map(({ memoryKib }) => memoryKib), [19_456, 29_184, 38_912, 58_368])
  const passes = await calibrate({ hash: burn, targetMs: 9, memoryKib: 47_104, maxMemoryKib: 60_000 })
  t.ok(passes.recommended.timeCost >= 1 && passes.recommended.milliseconds <= 9 && passes.measured.length === passes.recommended.timeCost + 1, 'the most passes that stay within the target')
  t.ok(parseHash(`$argon2id$v=19$m=${free.recommended.memoryKib},t=2,p=1$c29tZXNhbHRzb21lc2FsdA$c29tZXNhbHRzb21lc2FsdA`) !== undefined)
})

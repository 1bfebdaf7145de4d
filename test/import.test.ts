import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { createSinglePool } from '../src/db/pool.ts'
import { createDatabase } from '../src/db/stores.ts'
import { exportPeople } from '../src/import/export-people.ts'
import { packageRoot } from '../src/package-root.ts'
import { createTestApp } from './helpers/app.ts'
import { command, type CommandOptions } from './helpers/command.ts'
import { connect, createTestDatabase } from './helpers/database.ts'
import { post } from './helpers/people.ts'
import { tcpUrlOf } from './helpers/proxy.ts'
import { cleanEnv, cli, temporaryFolder } from './helpers/service.ts'
import { until } from './helpers/until.ts'

const folder = await temporaryFolder(t)
const bcrypt = '$2a$05$1GXxLK18IqPZyQZERwpFi.6JxSfFSo.ecX0nK3hotlJj3KClJCDc2'
const fixture = async (name: string): Promise<string> => await readFile(join(packageRoot, 'test/fixtures/import', name), 'utf8')

let files = 0
/** A file with this content, or one JSON object per line. */
async function fileOf (content: string | readonly object[]): Promise<string> {
  const path = join(folder, `file-${++files}`)
  await writeFile(path, typeof content === 'string' ? content : content.map(line => `${JSON.stringify(line)}\n`).join(''))
  return path
}

/** A database of its own, the commands on it, and what it holds. */
async function world (t: Test, env: Record<string, string> = {}) {
  const location = await createTestDatabase(t)
  const url = await tcpUrlOf(t, location)
  const sql = connect(location)
  t.teardown(async () => { await sql.end() })
  return {
    location,
    url,
    sql,
    users: async (args: string[], options?: CommandOptions) => await command(['users', ...args], { DATABASE_URL: url, ...env }, options),
    emails: async () => (await sql<Array<{ email: string }>>`select email from users order by email`).map(({ email }) => email),
    reportOf: async (path: string) => (await readFile(path, 'utf8')).trimEnd().split('\n').map(line => JSON.parse(line))
  }
}

const lines = (count: number, from = 1): object[] => Array.from({ length: count }, (_, i) => ({ id: String(from + i), email: `person-${from + i}@example.com`, passwordHash: bcrypt }))

t.test('users import and export: help and misuse', async t => {
  for (const args of [['import', '--help'], ['export', '--help']]) t.match(await command(['users', ...args]), { code: 0, stdout: /Examples:/ })
  const file = await fileOf(lines(1))
  for (const args of [
    ['import'], ['import', file, 'more'], ['import', file, '--format', 'ldap'], ['import', file, '--duplicates', 'merge'], ['import', file, '--map-role', 'admin'],
    ['import', file, '--map-role', 'boss=king'], ['import', file, '--hash-parameters', join(folder, 'none')], ['export']
  ]) t.match(await command(['users', ...args], { DATABASE_URL: 'postgres://127.0.0.1:1/none' }), { code: 2, stdout: '', stderr: /error/ }, args.join(' '))
  t.match(await command(['users', 'import', join(folder, 'none')]), { code: 1, stderr: /cannot be read \(ENOENT\)/ })
  t.match(await command(['users', 'import', folder]), { code: 1, stderr: /is a directory/ })
  t.match(await command(['users', 'import', await fileOf('hello')]), { code: 1, stderr: /name it with --format/ })
})

t.test('people of other systems sign in with their passwords, which are hashed anew', async t => {
  const { location, users, sql } = await world(t)
  const api = await createTestApp(t, {}, location)
  const parameters = join(packageRoot, 'test/fixtures/import/firebase-parameters.txt')
  for (const [name, password, id, options] of [
    ['supabase.csv', 'correct horse battery staple', '3f0b39cb-0a1b-4428-b36f-b8c098126dbd', []],
    ['better-auth.json', 'correct horse battery staple', undefined, []],
    ['keycloak.json', 'Grüße, 東京 🙂', '4f0b39cb-0a1b-4428-b36f-b8c098126dbd', ['--map-role', 'editor=']],
    ['firebase.json', 'user1password', undefined, ['--hash-parameters', parameters]],
    ['auth0.ndjson', 'correct horse battery staple', undefined, []],
    ['django.json', 'Grüße, 東京 🙂', undefined, ['--no-usernames', '--map-role', 'superuser=admin', '--map-role', '*=']]
  ] as const) {
    // Each has the same people; here they live elsewhere.
    const email = `ada@${name.replace('.', '-')}.example`
    const file = await fileOf((await fixture(name)).replaceAll(/@example\.com/g, `@${name.replace('.', '-')}.example`))
    t.match(await users(['import', file, ...options]), { code: 0, stdout: /^created 2, / }, name)
    const [stored] = await sql`select id, password_hash from users where email = ${email}`
    if (id !== undefined) t.equal(stored?.id, id, 'the id of the source is kept')
    t.equal((await sql`select 1 from outbox where template <> 'security-notice'`).length, 0, 'nobody gets a mail')
    t.equal((await post(api, '/auth/login', { email, password: 'another password' })).statusCode, 401)
    t.equal((await post(api, '/auth/login', { email, password })).statusCode, 200, `${name}: the old password`)
    await until('the hash is replaced', async () => {
      const [after] = await sql`select password_hash from users where email = ${email}`
      return /^\$argon2id\$v=19\$m=1024,t=1,p=1\$/.test(after?.password_hash) && after?.password_hash !== stored?.password_hash
    })
    t.equal((await post(api, '/auth/login', { email, password })).statusCode, 200, `${name}: once more`)
  }
  t.match(await sql`select roles from users where email = 'grace@django-json.example'`, [{ roles: ['user', 'admin'] }])
  t.match(await sql`select email_verified_at, is_active, first_name, created_at from users where email like '%@supabase-csv.example' order by email`, [
    { email_verified_at: new Date('2023-03-04T05:06:07.891Z'), is_active: true, first_name: 'Ada King', created_at: new Date('2023-03-04T05:06:07.100Z') },
    { email_verified_at: null, is_active: false, first_name: 'Grace' }
  ])
  t.equal((await sql`select 1 from user_search where name = 'ada king lovelace'`).length, 1, 'they are found')
  const events = await sql`select target_id, user_agent, details from audit_events where type = 'user_created'`
  t.equal(events.length, 12)
  t.notMatch(JSON.stringify(events), /ada@|grace@/i, 'the trail names nobody')
  t.match(events[0], { user_agent: 'auth-serve users import', details: { reason: 'import', row: 2 } })
})

t.test('a bad record keeps everything out, unless the others are wanted', async t => {
  const { users, emails, sql, reportOf } = await world(t)
  const bad = ['{"email":"nobody"}', '{"email":"c@example.com","passwordHash":"md5:1"}', '{"email":"d@example.com","username":"no, name"}', '{"email":"e@exam', '{"email":"f@example.com","roles":["admin"]}', '{"email":"g@example.com","createdAt":"9000-01-01T00:00:00Z"}']
  const file = await fileOf(['{"email":"a@example.com"}', ...bad, '{"email":"b@example.com"}'].join('\n'))
  const refused = await users(['import', file])
  t.match(refused, { code: 1, stdout: '' })
  for (const [row, field] of [[2, 'email'], [3, 'password'], [4, 'username'], [5, 'line'], [6, 'roles'], [7, 'createdAt']]) t.match(refused.stderr, `row ${row}: ${field}: `)
  t.match(refused.stderr, /Nothing was imported: 6 of 8 records are refused/)
  t.notMatch(refused.stderr, /md5:1|nobody/, 'no value is repeated')
  t.same([await emails(), (await sql`select 1 from user_imports`).length, (await sql`select 1 from audit_events`).length], [[], 0, 0])

  const many = await users(['import', await fileOf('{"email":"x"}\n'.repeat(30))])
  t.equal(many.stderr.match(/^row /gm)?.length, 20)
  t.match(many.stderr, 'and 10 more; --dry-run --report FILE lists them all')

  const report = join(folder, 'bad-report')
  const dry = await users(['import', file, '--dry-run', '--skip-invalid', '--json', '--report', report])
  t.match(dry, { code: 0 })
  t.same(JSON.parse(dry.stdout), { dryRun: true, created: 2, skipped: 0, refused: 6 })
  t.equal((await users(['import', file, '--dry-run'])).code, 1)
  t.same([await emails(), (await sql`select 1 from user_imports`).length], [[], 0], 'a dry run writes nothing')
  t.match(await users(['import', file, '--skip-invalid', '--report', report]), { code: 1, stderr: /exists already/ })
  t.same(await emails(), [])
  const done = join(folder, 'done-report')
  t.match(await users(['import', file, '--skip-invalid', '--report', done]), { code: 0, stdout: 'created 2, skipped 0, refused 6\n' })
  t.same(await emails(), ['a@example.com', 'b@example.com'])
  const withoutIds = (outcomes: object[]) => outcomes.map(outcome => ({ ...outcome, id: null }))
  t.same(withoutIds(await reportOf(done)), withoutIds(await reportOf(report)), 'the dry run said the same')
  t.match((await reportOf(done)).slice(0, 2), [{ row: 1, outcome: 'created', id: /^[0-9a-f-]{36}$/, reason: null }, { row: 2, outcome: 'refused', id: null, field: 'email' }])
  t.equal((await stat(done)).mode & 0o777, 0o600)

  t.match(await users(['import', file, '--skip-invalid']), { code: 0, stdout: 'created 2, skipped 0, refused 6\n', stderr: /was imported on/ }, 'once is enough')
  t.match(await users(['import', file, '--skip-invalid', '--again']), { code: 0, stdout: 'created 0, skipped 2, refused 6\n' })
})

t.test('files that are broken or hold nobody change nothing', async t => {
  const { users, emails } = await world(t)
  for (const [content, format] of [
    ['[{"model":"auth.user","pk":1,"fields":{"email":"a@example.com","password":""}},{"mod', 'django'],
    ['{"users":[{"email":"a@example.com"},{"email":"b', 'keycloak'],
    ['email\na@example.com\n"b@exa', 'csv'],
    ['email\n', 'csv'],
    ['{"realm":"shop"}', 'keycloak']
  ] as const) {
    t.match(await users(['import', '--format', format, await fileOf(content)]), { code: 1, stdout: '', stderr: /cut off|no people/ }, content)
    t.same(await emails(), [])
  }
})

t.test('duplicates and ids in use', async t => {
  const { users, emails, sql, reportOf } = await world(t)
  const id = 'aaaaaaaa-0000-4000-8000-00000000000'
  t.match(await users(['import', await fileOf([{ id: `${id}1`, email: 'ada@example.com', username: 'ada' }, { id: `${id}2`, email: 'gone@example.com' }])]), { code: 0 })
  await sql`update users set deleted_at = now() where id = ${`${id}2`}`
  const people = [
    { id: `${id}3`, email: 'ADA@example.com' },
    { id: `${id}4`, email: 'b@example.com', username: 'Ada' },
    { id: `${id}1`, email: 'c@example.com' },
    { id: `${id}2`, email: 'gone@example.com' },
    { id: `${id}5`.toUpperCase(), email: 'd@example.com', username: 'dee' },
    { id: `${id}5`, email: 'e@example.com' },
    { id: `${id}6`, email: 'D@example.com' },
    { id: `${id}7`, email: 'b@example.com', username: 'DEE' },
    { id: '00000000-0000-0000-0000-000000000000', email: 'f@example.com' }
  ]
  const file = await fileOf(people)
  const [dryReport, report] = [join(folder, 'duplicates-dry'), join(folder, 'duplicates')]
  const failed = await users(['import', file, '--duplicates', 'fail'])
  t.match(failed, { code: 1, stdout: '', stderr: /row 1: email: is in use already\nrow 2: username: is in use already, by somebody with another address; --no-usernames imports people without\nrow 7: email: is that of an earlier record/ })
  t.match(failed.stderr, /4 of 9 records are refused/)
  t.match(await users(['import', file]), { code: 1, stdout: '', stderr: /2 of 9 records are refused/ }, 'nobody is left out for the name of somebody else')
  t.match(await users(['import', file, '--skip-invalid', '--dry-run', '--report', dryReport]), { stdout: 'nothing was written; would be created 5, skipped 2, refused 2\n' })
  t.match(await users(['import', file, '--skip-invalid', '--report', report]), { code: 0, stdout: 'created 5, skipped 2, refused 2\n' })
  const outcomes = await reportOf(report)
  t.same(outcomes.map(({ outcome }) => outcome), (await reportOf(dryReport)).map(({ outcome }) => outcome))
  t.match(outcomes, [
    { outcome: 'skipped', field: 'email', id: null }, { outcome: 'refused', field: 'username' },
    { outcome: 'created', sourceId: `${id}1` }, { outcome: 'created', sourceId: `${id}2` }, { outcome: 'created', id: `${id}5` },
    { outcome: 'created' }, { outcome: 'skipped', field: 'email' }, { outcome: 'refused', field: 'username' }, { outcome: 'created' }
  ])
  for (const row of [2, 3, 5, 8]) t.match(outcomes[row].id, /^[0-9a-f]{8}-[0-9a-f]{4}-7/, 'an id in use, or nobody\'s, is replaced')
  t.same(await emails(), ['ada@example.com', 'c@example.com', 'd@example.com', 'e@example.com', 'f@example.com', 'gone@example.com', 'gone@example.com'])
})

t.test('an import that is killed goes on where it stopped', async t => {
  const { location, url, users, sql, reportOf } = await world(t)
  const [file, report] = [await fileOf(lines(2500)), join(folder, 'killed-report')]
  const other = connect(location)
  const blocked = await other.reserve()
  // Somebody of the third batch is registering at this moment: the import waits for the end of that, and is killed there.
  await blocked`begin`
  await blocked`insert into users (id, email, email_canonical) values (gen_random_uuid(), 'x', 'person-1200@example.com')`
  const child = spawn(process.execPath, [cli, 'users', 'import', file, '--report', report], { cwd: packageRoot, env: cleanEnv({ DATABASE_URL: url }) })
  const ended = once(child, 'close')
  await until('two batches are stored', async () => (await sql`select 1 from user_imports where position = 1000`).length === 1, 30)
  await until('the third waits', async () => (await sql`select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`).length > 0, 30)
  child.kill('SIGKILL')
  t.same(await ended, [null, 'SIGKILL'])
  await blocked`rollback`
  blocked.release()
  await other.end()
  // As if the process had died after it wrote the report and before the commit.
  await writeFile(report, '{"row":1001}\n{"row":10', { flag: 'a' })
  t.match(await users(['import', file, '--report', report, '--skip-invalid']), { code: 1, stderr: /exists already/ }, 'with other options it is another import')
  const again = await users(['import', file, '--report', report])
  t.match(again, { code: 0, stdout: 'created 2500, skipped 0, refused 0\n', stderr: /Going on after 1000 records/ })
  t.match(await sql`select count(*)::int as people, count(distinct email_canonical)::int as addresses from users`, [{ people: 2500, addresses: 2500 }])
  t.match(await sql`select count(*)::int as events, count(distinct target_id)::int as people from audit_events where type = 'user_created'`, [{ events: 2500, people: 2500 }])
  const outcomes = await reportOf(report)
  t.same(outcomes.map(({ row }) => row), lines(2500).map((_, i) => i + 1), 'the report has each record once')
  const ids = await sql<Array<{ id: string, email: string }>>`select id, email from users`
  t.same(new Map(outcomes.map(({ id, sourceId }) => [id, `person-${sourceId}@example.com`])), new Map(ids.map(({ id, email }) => [id, email])), 'and the ids that they have')
  t.match(await users(['import', file]), { code: 0, stdout: 'created 2500, skipped 0, refused 0\n', stderr: /was imported on/ })
  await sql`update user_imports set position = 500, finished_at = null`
  t.match(await users(['import', file, '--report', await fileOf('{"row":1}\n')]), { code: 1, stderr: /is not of the 500 records/ })
})

t.test('the same import twice at a time', async t => {
  const { users, sql } = await world(t)
  const file = await fileOf(lines(1500))
  const both = await Promise.all([users(['import', file]), users(['import', file])])
  t.ok(both.some(({ code }) => code === 0), JSON.stringify(both))
  t.ok(both.every(({ code, stderr }) => code === 0 || /running elsewhere/.test(stderr)), JSON.stringify(both))
  t.match(await sql`select count(*)::int as people from users`, [{ people: 1500 }])
  t.match(await sql`select count(*)::int as events from audit_events`, [{ events: 1500 }])
})

t.test('an export shows one moment', async t => {
  const { location, users, sql } = await world(t)
  await users(['import', await fileOf(lines(1500).map((person, i) => ({ ...person, id: `aaaaaaaa-0000-4000-8000-${String(i).padStart(12, '0')}` })))])
  const pool = createSinglePool(location)
  let exported = ''
  await exportPeople(createDatabase(pool), {
    withHashes: true,
    onProgress: () => {},
    write: async text => {
      exported += text
      await sql`update users set email = 'later@example.com', email_canonical = 'later@example.com' where email = 'person-1400@example.com'`
      await sql`update users set deleted_at = now() where email = 'person-1401@example.com'`
      await sql`insert into users (id, email, email_canonical) values ('bbbbbbbb-0000-4000-8000-000000000000', 'new@example.com', 'new@example.com') on conflict do nothing`
    }
  })
  await pool.close()
  t.equal(exported.trimEnd().split('\n').length, 1500)
  t.match(exported, 'person-1400@example.com')
  t.notMatch(exported, /later@|new@/)
})

t.test('what is exported is imported as it was', async t => {
  const settings = { ROLES: 'support=users:read', ARGON2_MEMORY_KIB: '524288' }
  const costly = `$argon2id$v=19$m=524288,t=2,p=1$c29tZXNhbHQ$${'A'.repeat(43)}`
  const [from, to] = [await world(t, settings), await world(t, settings)]
  await from.users(['import', await fileOf([
    ...lines(1200),
    { email: 'Ünï@bücher.example', username: 'Uni', firstName: 'Ünï\u2028', lastName: '"quoted"\n', roles: ['user', 'support', 'admin'], emailVerified: true, isActive: false, createdAt: '2020-02-29T12:00:00.123Z', lastLoginAt: '2021-01-01T00:00:00Z' }
  ]), '--map-role', 'admin=admin'])
  await from.sql`update users set deleted_at = now(), is_active = false where email = 'person-1@example.com'`
  await from.sql`update users set password_hash = '!' where email = 'person-2@example.com'`
  await from.sql`update users set password_hash = ${costly} where email = 'person-3@example.com'`
  const [first, second] = [join(folder, 'first.ndjson'), join(folder, 'second.ndjson')]
  t.match(await from.users(['export', first]), { code: 0, stdout: 'exported 1200\n', stderr: /as secret as the database/ })
  t.equal((await stat(first)).mode & 0o777, 0o600)
  t.match(await to.users(['import', first]), { code: 1, stderr: /the role "admin" is not mapped/ }, 'nobody becomes an administrator by the way')
  // Piped in, it is the same file.
  t.match(await to.users(['import', '-', '--map-role', 'admin=admin'], { input: await readFile(first) }), { code: 0, stdout: 'created 1200, skipped 0, refused 0\n' })
  t.match(await to.users(['export', second]), { code: 0 })
  t.ok((await readFile(first)).equals(await readFile(second)), 'the same bytes')

  t.match(await to.users(['export', second]), { code: 2, stderr: /--force/ })
  t.match(await to.users(['export', '--force', '--json', second]), { code: 0, stdout: '{\n  "exported": 1200\n}\n' })
  const bare = await to.users(['export', '--no-hashes', '-'])
  t.match(bare, { code: 0, stderr: 'exported 1200\n' })
  t.notMatch(bare.stdout, /passwordHash|\$2a\$/)
  t.equal(bare.stdout.trimEnd().split('\n').length, 1200)
  t.match(await to.users(['export', join(folder, 'none', 'x')]), { code: 1, stderr: /cannot be written \(ENOENT\)/ })
})

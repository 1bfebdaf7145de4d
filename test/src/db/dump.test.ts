import { createHash } from 'node:crypto'
import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { gunzipSync, gzipSync } from 'node:zlib'
import postgres from 'postgres'
import t, { type Test } from 'tap'
import type { DatabaseLocation } from '../../../src/db/client.ts'
import { createDumpReader } from '../../../src/db/dump/dump-reader.ts'
import { listDumpTables } from '../../../src/db/dump/dump-tables.ts'
import { startEmbeddedPostgres } from '../../../src/db/embedded/index.ts'
import { listMigrations, migrateDown } from '../../../src/db/migrations.ts'
import { createSinglePool } from '../../../src/db/pool.ts'
import { createTestApp, testSecret, type TestApp } from '../../helpers/app.ts'
import { command } from '../../helpers/command.ts'
import { connect, createTestDatabase } from '../../helpers/database.ts'
import { post, readMe, refresh, signIn, signUp } from '../../helpers/people.ts'
import { tcpUrlOf } from '../../helpers/proxy.ts'
import { temporaryFolder } from '../../helpers/service.ts'

const newest = '0003_administration'

function open (t: Test, location: DatabaseLocation): postgres.Sql {
  const sql = connect(location)
  t.teardown(async () => { await sql.end() })
  return sql
}

const envOf = async (t: Test, location: DatabaseLocation): Promise<Record<string, string>> => ({ DATABASE_URL: await tcpUrlOf(t, location), AUTH_SECRET: testSecret })

/** Every row of every table of ours, as text, in an order of its own. */
async function contentsOf (sql: postgres.Sql, tables = listDumpTables()): Promise<Record<string, string[]>> {
  const contents: Record<string, string[]> = {}
  for (const table of tables) contents[table] = (await sql<{ row: string }[]>`select t::text as row from ${sql(table)} t order by 1`).map(({ row }) => row)
  return contents
}

const tablesIn = async (sql: postgres.Sql): Promise<string[]> =>
  (await sql`select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition order by 1`).map(row => row.relname)

const nasty = 'a\\.\n\\.\n\tb\r\\N "quoted" \\\\x 🦀 ü'

/** Rows of every table, most of them made by the service, some as hard to copy as they get. */
async function fill (api: TestApp, sql: postgres.Sql): Promise<void> {
  for (let n = 0; n < 3; n++) await signUp(api, { firstName: 'Ada\\N', lastName: 'O\'Tab' })
  const leaver = await signUp(api)
  await post(api, '/auth/login', { email: leaver.email, password: 'not the password' })
  await api.request({ method: 'DELETE', url: '/api/v1/users/me', headers: leaver.authorization })
  const id = '01920000-0000-7000-8000-000000000001'
  await sql`insert into webhooks (id, url, secret, event_types) values (${id}, 'https://example.com', 'sealed', '{}')`
  // With a webhook there, each further event is owed to it.
  await signUp(api)
  // More than any buffer on the way holds.
  await sql`insert into login_attempts (key, failures, expires_at) select sha256(n::text::bytea), n, now() from generate_series(1, 20000) n`
  await sql`insert into user_imports (fingerprint) values (${nasty})`
  await sql`insert into audit_seals (sequence, kind, event_ids, until, event_macs, key_id, mac) values (1, 'events', ${sql.array([id])}::uuid[], now(), '\\x00ff5c', 'k', '\\x')`
  await sql`insert into action_tokens (token_hash, purpose, user_id, email, data, expires_at) select '\\x5c2e0a', 'invitation', id, '', ${sql.json({ nasty })}, now() from users limit 1`
  for (const moment of ['2023-12-31T23:59:59.999Z', '2024-02-29T00:00:00Z']) {
    await sql`select auth_serve_add_audit_partition(${moment}::timestamptz)`
    await sql`insert into audit_events (id, type, outcome, occurred_at, user_agent, details) values (gen_random_uuid(), 'user_created', 'success', ${moment}, ${nasty}, ${sql.json({ nasty, nothing: null })})`
  }
  // What was sealed is no longer owed to the sealer; what was delivered is not pending.
  await sql`delete from audit_unsealed where occurred_at < '2024-01-01'`
  await sql`delete from webhook_deliveries where occurred_at < '2024-01-01'`
}

t.test('every table of ours is dumped, and none has a counter that a restore would have to set', async t => {
  const sql = open(t, await createTestDatabase(t))
  t.same([...listDumpTables(), 'auth_serve_migrations'].sort(), await tablesIn(sql))
  t.same([...await sql`select relname from pg_class where relkind = 'S'`], [])
  const { length } = listDumpTables()
  t.ok(listDumpTables().indexOf('users') < listDumpTables().indexOf('sessions') && length === new Set(listDumpTables()).size)
})

t.test('db dump and db restore', async t => {
  const location = await createTestDatabase(t)
  const [source, env] = [open(t, location), await envOf(t, location)]
  // What is owed to the webhook is to stay as it is.
  const api = await createTestApp(t, { webhooks: { pollMs: 60_000 } }, location)
  const person = await signUp(api)
  await fill(api, source)
  // What it does by itself would change what is compared.
  await api.app.close()
  const folder = await temporaryFolder(t)
  const file = join(folder, 'backup.gz')
  const before = await contentsOf(source)
  for (const [table, rows] of Object.entries(before)) t.ok(rows.length > 0, `${table} has something to lose`)
  const dumped = await command(['db', 'dump', file, '--json'], env)
  t.match(dumped, { code: 0, stderr: '' })
  const { rows } = JSON.parse(dumped.stdout)
  t.same(await contentsOf(source), before, 'a dump changes nothing')
  const emptyDatabase = async () => await createTestDatabase(t, { empty: true })

  await t.test('the file is its owner\'s alone, whole, and replaced only on demand', async t => {
    t.equal((await stat(file)).mode & 0o777, 0o600)
    t.match(await command(['db', 'dump', file], env), { code: 2, stdout: '', stderr: /exists already; --force/ })
    t.match(await command(['db', 'dump', file, '--force'], env), { code: 0, stdout: /^TABLE +ROWS\n/ })
    t.match(await command(['db', 'dump', join(folder, 'none/x.gz')], env), { code: 1, stderr: /cannot be written \(ENOENT\)/ })
    t.same(await readdir(folder), ['backup.gz'])
    const text = gunzipSync(await readFile(file)).toString()
    t.match(JSON.parse(text.slice(0, text.indexOf('\n'))), { format: 'auth-serve dump', version: 1, migrations: (await listMigrations()).map(({ name }) => name) })
  })

  await t.test('restored, every row is as it was, whatever triggers there are', async t => {
    const location = await emptyDatabase()
    const [sql, env] = [open(t, location), await envOf(t, location)]
    const restored = await command(['db', 'restore', file, '--yes', '--json'], env)
    t.match(restored, { code: 0, stderr: '' })
    t.same(JSON.parse(restored.stdout), { ...JSON.parse(restored.stdout), rows, migrated: [] })
    t.same(await contentsOf(sql), before)
    t.same([...await sql`select tgname from pg_trigger where not tgisinternal and tgenabled <> 'O'`], [], 'triggers work again')
    await t.rejects(sql`delete from audit_events`, /append-only/)
    const moved = await createTestApp(t, {}, location)
    t.equal((await readMe(moved, person.accessToken)).statusCode, 200, 'whoever was signed in is signed in')
    t.equal((await refresh(moved, person.refreshToken)).statusCode, 200)
    await signIn(moved, person.email)
    t.match(await command(['db', 'restore', file, '--yes'], env), { code: 1, stdout: '', stderr: /using the database/ }, 'not beneath a service')
    await moved.app.close()
    t.match(await command(['db', 'restore', file, '--yes'], env), { code: 1, stdout: '', stderr: /has users already/ })
  })

  await t.test('through pipes, into an embedded database where a service has been', async t => {
    const dataDir = await temporaryFolder(t)
    const env2 = { DATA_DIR: dataDir, AUTH_SECRET: testSecret.toUpperCase() }
    // Held, so that not each command starts and stops it.
    const embedded = await startEmbeddedPostgres({ dataDir, log: { info: () => {}, warn: () => {} }, fsync: false })
    t.teardown(async () => { await embedded.close() })
    t.match(await command(['keys', 'rotate'], env2), { code: 0 })
    const piped = await command(['db', 'dump', '-'], env)
    t.match(piped, { code: 0, stderr: /^TABLE/ })
    t.match(await command(['db', 'restore', '-'], env2, { input: piped.bytes }), { code: 2, stdout: '', stderr: /--yes/ })
    t.match(await command(['db', 'restore', '--yes', '-'], env2, { input: piped.bytes }), { code: 0, stderr: /another AUTH_SECRET/ })
    const listed = await command(['users', 'list', '--json'], env2)
    t.same(JSON.parse(listed.stdout), JSON.parse((await command(['users', 'list', '--json'], env)).stdout))
    t.equal(JSON.parse((await command(['keys', 'list', '--json'], env2)).stdout).length, 1, 'the key from before is gone')
  })

  await t.test('what is damaged, altered or newer is refused, and leaves nothing', async t => {
    const location = await emptyDatabase()
    const [sql, env] = [open(t, location), await envOf(t, location)]
    const whole = await readFile(file)
    const lines = gunzipSync(whole).toString('latin1')
    const altered = (change: (text: string) => string): Buffer => gzipSync(Buffer.from(change(lines), 'latin1'))
    const cases: [string, Buffer, RegExp][] = [
      ['cut short', whole.subarray(0, whole.length - 10), /cut short or was altered/],
      ['empty', Buffer.alloc(0), /cut short or was altered/],
      ['no gzip', Buffer.from('select 1;\n'), /cut short or was altered/],
      ['no dump', gzipSync('{}\n'), /cut short or was altered/],
      ['with an altered row', altered(text => text.replace(person.email, person.email.replace('person', 'pirate'))), /cut short or was altered/],
      ['with a row that is none', altered(text => text.replace(/\n[^\n]*O'Tab/, '\nno uuid')), /cut short or was altered/],
      ['with a user too many at the end', altered(text => text.replace(/(\n[^\n]*O'Tab[^\n]*)/, '$1$1')), /cut short or was altered/],
      ['of a newer format', altered(text => text.replace('"version":1', '"version":2')), /format 2/],
      ['of a newer release', altered(text => text.replace(`"${newest}"`, `"${newest}","0999_future"`)), /does not know/],
      ['with a trail of ten thousand years', altered(text => text.replace(/"from":"\d{4}/, '"from":"0001')), /cut short or was altered/],
      ['with a day that is none', altered(text => text.replace(/"from":"\d{4}-\d\d-\d\d/, '"from":"2023-02-31')), /cut short or was altered/],
      ['with a table of something else', altered(text => text.replace('"name":"webhooks"', '"name":"elsewhere"')), /tables of the dump/],
    ]
    for (const [what, bytes, stderr] of cases) {
      await writeFile(join(folder, 'bad.gz'), bytes)
      t.match(await command(['db', 'restore', join(folder, 'bad.gz'), '--yes'], env), { code: 1, stdout: '', stderr }, what)
    }
    const readAll = async (text: string): Promise<void> => {
      const reader = createDumpReader(Readable.from([Buffer.from(text, 'latin1')]), () => {})
      const { tables } = await reader.header()
      for (const { name } of tables) await buffer(Readable.from(reader.rows(name)))
      await reader.finish()
    }
    await readAll(lines)
    for (const text of [lines.slice(0, lines.lastIndexOf('\n{') + 1), lines.slice(0, -1), lines.replace(/^.*O'Tab.*\n/m, ''), lines.replace('\n\\.\n', '\n'), `${lines}more\n`]) {
      await t.rejects(readAll(text), { name: 'DumpError', message: /cut short or was altered/ })
    }
    t.match(await command(['db', 'restore', join(folder, 'none.gz'), '--yes'], env), { code: 1, stderr: /cannot be read \(ENOENT\)/ })
    t.match(await command(['db', 'restore', folder, '--yes'], env), { code: 1, stderr: /is a directory/ })
    t.same(await tablesIn(sql), [])
    await sql`create table users (name text)`
    t.match(await command(['db', 'restore', file, '--yes'], env), { code: 1, stdout: '', stderr: /of something else/ })
  })

  await t.test('one of an earlier release is brought to this one', async t => {
    const old = await createTestDatabase(t)
    const pool = createSinglePool(old)
    while (await migrateDown(pool) !== newest);
    await pool.close()
    const sql = open(t, old)
    const id = '01920000-0000-7000-8000-000000000001'
    await sql`insert into users (id, email, email_canonical, first_name) values (${id}, 'a@b.example', 'a@b.example', 'Ada')`
    await sql`insert into audit_events (id, type, outcome, occurred_at) values (${id}, 'user_created', 'success', '2024-02-29')`
    t.match(await command(['db', 'dump', join(folder, 'old.gz')], await envOf(t, old)), { code: 1, stderr: /lacks migrations of this release \(0003_.*migrate up/ })
    await writeFile(join(folder, 'old.gz'), await dumpAsBefore(sql))
    const location = await createTestDatabase(t)
    const restored = open(t, location)
    t.match(await command(['db', 'restore', join(folder, 'old.gz'), '--yes'], await envOf(t, location)), { code: 0, stdout: /applied 0003_administration\n$/ })
    t.match([...await restored`select email, name, occurred_at from user_search, audit_events`], [{ email: 'a@b.example', name: 'ada', occurred_at: new Date('2024-02-29') }])
  })
})

/** What a release before the newest migration would have written. */
async function dumpAsBefore (sql: postgres.Sql): Promise<Buffer> {
  const migrations = (await listMigrations()).map(({ name }) => name).filter(name => name !== newest)
  const names = ['users', ...(await tablesIn(sql)).filter(name => !['users', 'auth_serve_migrations'].includes(name))]
  const tables = await Promise.all(names.map(async name => ({
    name, columns: (await sql`select attname from pg_attribute where attrelid = ${name}::regclass and attnum > 0 order by attnum`).map(row => row.attname)
  })))
  const header = { format: 'auth-serve dump', version: 1, release: '0.0.1', createdAt: '', secretId: '', migrations, tables, events: { from: '2024-02-29T00:00:00Z', until: '2024-02-29T00:00:00Z' } }
  let text = `${JSON.stringify(header)}\n`
  const rows: Record<string, number> = {}
  for (const { name } of tables) {
    const lines = (await buffer(await sql.unsafe(`copy ${name} to stdout`).readable())).toString()
    rows[name] = lines.split('\n').length - 1
    text += `${lines}\\.\n`
  }
  return gzipSync(`${text}${JSON.stringify({ rows, sha256: createHash('sha256').update(text).digest('hex') })}\n`)
}

import t from 'tap'
import { migrateDown, migrateUp, listMigrations, migrationStatus } from '../../../src/db/migrations.ts'
import { connect, createTestDatabase } from '../../helpers/database.ts'

const tablesOf = async (sql: ReturnType<typeof connect>): Promise<string[]> =>
  (await sql`select table_name from information_schema.tables where table_schema = 'public' order by 1`).map(row => row.table_name)

t.test('migrations go up, down and up again, with rows', async t => {
  const sql = connect(await createTestDatabase(t, { empty: true }))
  t.teardown(async () => { await sql.end() })
  const names = (await listMigrations()).map(({ name }) => name)
  t.same(await migrationStatus(sql), names.map(name => ({ name, applied: false })))
  t.same(await tablesOf(sql), [], 'asking for the status writes nothing')

  t.same(await migrateUp(sql), names)
  t.same(await migrateUp(sql), [])
  t.same(await migrationStatus(sql), names.map(name => ({ name, applied: true })))
  const schema = await tablesOf(sql)
  const id = '01920000-0000-7000-8000-000000000001'
  await sql`insert into users (id, email, email_canonical) values (${id}, 'a@b.example', 'a@b.example')`
  await sql`insert into sessions (id, user_id, expires_at, access_until) values (${id}, ${id}, now(), now())`
  await sql`insert into audit_events (id, type, outcome) values (${id}, 'user_created', 'success')`
  await sql`insert into signing_keys (kid, algorithm, public_key, private_key) values ('k', 'ES256', 'p', 'p')`
  await sql`insert into login_attempts (key, failures, expires_at) values ('k', 1, now())`

  for (const name of names.toReversed()) t.equal(await migrateDown(sql), name)
  t.equal(await migrateDown(sql), undefined)
  t.same(await tablesOf(sql), ['auth_serve_migrations'])

  t.same(await migrateUp(sql), names)
  t.same(await tablesOf(sql), schema)
})

t.test('four migrations at once on an empty database all succeed, one of them works', async t => {
  const location = await createTestDatabase(t, { empty: true })
  const clients = Array.from({ length: 4 }, () => connect(location))
  t.teardown(async () => { await Promise.all(clients.map(async sql => await sql.end())) })
  const applied = await Promise.all(clients.map(async sql => await migrateUp(sql)))
  t.equal(applied.filter(names => names.length > 0).length, 1)
})

t.test('a migration that fails leaves nothing behind', async t => {
  const sql = connect(await createTestDatabase(t, { empty: true }))
  t.teardown(async () => { await sql.end() })
  await sql`create table sessions (mine int)`
  await t.rejects(migrateUp(sql), /already exists/)
  t.same(await tablesOf(sql), ['sessions'])
})

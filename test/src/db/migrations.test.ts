import t, { type Test } from 'tap'
import type { DatabaseLocation } from '../../../src/db/client.ts'
import { migrateDown, migrateUp, listMigrations, migrationStatus } from '../../../src/db/migrations.ts'
import { createSinglePool } from '../../../src/db/pool.ts'
import { connect, createTestDatabase } from '../../helpers/database.ts'
import { until } from '../../helpers/until.ts'

const tablesOf = async (sql: ReturnType<typeof connect>): Promise<string[]> =>
  (await sql`select table_name from information_schema.tables where table_schema = 'public' order by 1`).map(row => row.table_name)

function poolOf (t: Test, location: DatabaseLocation) {
  const pool = createSinglePool(location)
  t.teardown(async () => { await pool.close() })
  return pool
}

t.test('migrations go up, down and up again, with rows', async t => {
  const location = await createTestDatabase(t, { empty: true })
  const [sql, pool] = [connect(location), poolOf(t, location)]
  t.teardown(async () => { await sql.end() })
  const names = (await listMigrations()).map(({ name }) => name)
  t.same(await migrationStatus(pool), names.map(name => ({ name, applied: false })))
  t.same(await tablesOf(sql), [], 'asking for the status writes nothing')

  t.same(await migrateUp(pool), names)
  t.same(await migrateUp(pool), [])
  t.same(await migrationStatus(pool), names.map(name => ({ name, applied: true })))
  const schema = await tablesOf(sql)
  const id = '01920000-0000-7000-8000-000000000001'
  await sql`insert into users (id, email, email_canonical) values (${id}, 'a@b.example', 'a@b.example')`
  await sql`insert into sessions (id, user_id, expires_at, idle_expires_at, access_until, refresh_hashes) values (${id}, ${id}, now(), now(), now(), '{h}')`
  await sql`insert into audit_events (id, type, outcome) values (${id}, 'user_created', 'success')`
  await sql`insert into signing_keys (kid, algorithm, public_key, private_key) values ('k', 'ES256', 'p', 'p')`
  await sql`insert into login_attempts (key, failures, expires_at) values ('k', 1, now())`

  for (const name of names.toReversed()) t.equal(await migrateDown(pool), name)
  t.equal(await migrateDown(pool), undefined)
  t.same(await tablesOf(sql), ['auth_serve_migrations'])

  t.same(await migrateUp(pool), names)
  t.same(await tablesOf(sql), schema)
})

t.test('four migrations at once on an empty database all succeed, one of them works', async t => {
  const location = await createTestDatabase(t, { empty: true })
  const applied = await Promise.all(Array.from({ length: 4 }, async () => await migrateUp(poolOf(t, location))))
  t.equal(applied.filter(names => names.length > 0).length, 1)
})

t.test('a migration steps back from those who are at work, and comes through', async t => {
  const location = await createTestDatabase(t)
  const [sql, pool] = [connect(location), poolOf(t, location)]
  t.teardown(async () => { await sql.end() })
  const name = await migrateDown(pool)
  const id = '01920000-0000-7000-8000-000000000001'
  await sql`insert into users (id, email, email_canonical) values (${id}, 'a@b.example', 'a@b.example')`
  await sql`insert into sessions (id, user_id, expires_at, idle_expires_at, access_until, refresh_hashes) values (${id}, ${id}, now(), now(), now(), '{h}')`
  const waiting = async () => (await sql`select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`).length > 0
  let migrating: Promise<string[]> | undefined
  // As a change of password does: the person first, and then the sessions, which the migration must not have taken meanwhile.
  await sql.begin(async other => {
    await other`update users set updated_at = now()`
    migrating = migrateUp(pool)
    await until('the migration waits', waiting)
    await other`update sessions set last_used_at = now()`
    await until('it gave up', async () => !await waiting())
  })
  t.same(await migrating, [name])
})

t.test('where pg_trgm is of others, whose schema may not be used, the migration does without', async t => {
  const location = await createTestDatabase(t, { empty: true })
  const [sql, pool] = [connect(location), poolOf(t, location)]
  t.teardown(async () => { await sql.end() })
  await sql`create schema elsewhere`
  await sql`create extension pg_trgm schema elsewhere`
  await sql`revoke all on schema elsewhere from current_user`
  t.ok((await migrateUp(pool)).includes('0003_administration'))
  t.same([...await sql`select to_regclass('user_search_trigram_idx') as found`], [{ found: null }])
})

t.test('a migration that fails leaves nothing behind', async t => {
  const location = await createTestDatabase(t, { empty: true })
  const [sql, pool] = [connect(location), poolOf(t, location)]
  t.teardown(async () => { await sql.end() })
  await sql`create table sessions (mine int)`
  await t.rejects(migrateUp(pool), /already exists/)
  t.same(await tablesOf(sql), ['sessions'])
})

import { randomUUID } from 'node:crypto'
import t from 'tap'
import { createPool } from '../../../src/db/pool.ts'
import { createDatabase } from '../../../src/db/stores.ts'
import { createDatabaseClock } from '../../../src/keys/database-clock.ts'
import { startSessionUse } from '../../../src/sessions/session-use.ts'
import { connect, createTestDatabase } from '../../helpers/database.ts'
import { createLogCapture } from '../../helpers/log-capture.ts'
import { createDatabaseProxy } from '../../helpers/proxy.ts'

const poolOptions = { max: 2, queue: 10, acquireTimeoutMs: 500, statementTimeoutMs: 1000, connectTimeoutSeconds: 1, preparedStatements: true }

t.test('last use of sessions', async t => {
  const location = await createTestDatabase(t)
  const proxy = await createDatabaseProxy(t, location)
  const sql = connect(location)
  const pool = createPool({ location: proxy.location, ...poolOptions })
  t.teardown(async () => {
    await pool.close()
    await sql.end()
  })
  const { sessions: store } = createDatabase(pool)
  const userId = randomUUID()
  await sql`insert into users (id, email, email_canonical) values (${userId}, 'a@example.com', 'a@example.com')`

  async function addSessions (count: number): Promise<string[]> {
    const rows = await sql`insert into sessions (id, user_id, last_used_at, expires_at, idle_expires_at, access_until, refresh_hashes)
      select gen_random_uuid(), ${userId}, now() - interval '1 hour', now() + interval '1 day', now() + interval '1 hour', now(), '{}' from generate_series(1, ${count}::int)
      returning id`
    return rows.map(row => String(row.id))
  }
  async function secondsSinceUse (ids: readonly string[]): Promise<number[]> {
    const rows = await sql`select round(extract(epoch from now() - last_used_at))::int as seconds from sessions where id in ${sql(ids)} order by 1`
    return rows.map(row => Number(row.seconds))
  }
  async function clockOfDatabase () {
    const clock = createDatabaseClock()
    const [row] = await sql`select now() as now`
    clock.sync(row?.now)
    return clock
  }
  function start (options: { maxEntries?: number, clock: ReturnType<typeof createDatabaseClock> }) {
    const log = createLogCapture()
    const use = startSessionUse({ store, flushMs: 3_600_000, maxEntries: 10_000, log: log.logger, ...options })
    t.teardown(use.close)
    return { ...use, warnings: () => log.lines().filter(line => line.level === 'warn') }
  }
  const isLongAgo = (seconds: number) => seconds >= 3600
  const isJustNow = (seconds: number) => seconds <= 5

  t.test('nothing is written before its time, then all of it in batches, and the last of it at the end', async t => {
    const ids = await addSessions(2500)
    const use = start({ clock: await clockOfDatabase() })
    for (const id of ids) for (let n = 0; n < 3; n++) use.note(id)
    t.ok((await secondsSinceUse(ids)).every(isLongAgo))
    await use.flush()
    t.ok((await secondsSinceUse(ids)).every(isJustNow))
    const [last = ''] = await addSessions(1)
    use.note(last)
    await use.close()
    t.ok((await secondsSinceUse([last])).every(isJustNow))
  })

  t.test('once a minute per session, whoever else writes it, and never back', async t => {
    const [id = ''] = await addSessions(1)
    const use = start({ clock: await clockOfDatabase() })
    for (const [stored, written] of [['59 seconds', false], ['61 seconds', true], ['-1 hour', false]] as const) {
      await sql`update sessions set last_used_at = now() - ${stored}::interval where id = ${id}`
      const [before] = await secondsSinceUse([id])
      use.note(id)
      await use.flush()
      const [after] = await secondsSinceUse([id])
      t.equal((after ?? 0) < (before ?? 0) - 30, written, stored)
    }
  })

  t.test('it does not make the session live longer, and touches none that has ended or is unknown', async t => {
    const [id = '', ended = ''] = await addSessions(2)
    await sql`update sessions set revoked_at = now() where id = ${ended}`
    const read = async () => await sql`select id, idle_expires_at, expires_at, access_until from sessions where id in (${id}, ${ended}) order by id`
    const before = await read()
    const use = start({ clock: await clockOfDatabase() })
    for (const noted of [id, ended, randomUUID()]) use.note(noted)
    await use.flush()
    t.same([...await read()], [...before])
    t.ok((await secondsSinceUse([id])).every(isJustNow))
    t.ok((await secondsSinceUse([ended])).every(isLongAgo))
  })

  t.test('beyond its bound it notes nothing more until it has written', async t => {
    const [first = '', second = '', third = ''] = await addSessions(3)
    const use = start({ clock: await clockOfDatabase(), maxEntries: 2 })
    for (const id of [first, second, third, first]) use.note(id)
    await use.flush()
    t.ok((await secondsSinceUse([first, second])).every(isJustNow))
    t.ok((await secondsSinceUse([third])).every(isLongAgo))
    use.note(third)
    await use.flush()
    t.ok((await secondsSinceUse([third])).every(isJustNow))
  })

  t.test('a row that somebody holds is left out, the others are written', async t => {
    const [held = '', free = ''] = await addSessions(2)
    const holder = await sql.reserve()
    await holder`begin`
    await holder`select 1 from sessions where id = ${held} for update`
    const use = start({ clock: await clockOfDatabase() })
    use.note(held)
    use.note(free)
    await use.flush()
    t.ok((await secondsSinceUse([free])).every(isJustNow))
    t.ok((await secondsSinceUse([held])).every(isLongAgo))
    await holder`commit`
    holder.release()
  })

  t.test('an outage is told once and loses nothing', async t => {
    const ids = await addSessions(3)
    const use = start({ clock: await clockOfDatabase() })
    for (const id of ids) use.note(id)
    await proxy.cut()
    for (let n = 0; n < 3; n++) await use.flush()
    t.equal(use.warnings().length, 1)
    await proxy.restore()
    await use.flush()
    t.ok((await secondsSinceUse(ids)).every(isJustNow))
  })
})

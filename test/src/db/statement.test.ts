import { eq, sql } from 'drizzle-orm'
import t from 'tap'
import type { Orm } from '../../../src/db/client.ts'
import { createPool } from '../../../src/db/pool.ts'
import { createStatement, prepared } from '../../../src/db/statement.ts'
import { users } from '../../../src/db/tables.ts'
import { createTestDatabase } from '../../helpers/database.ts'

const options = { max: 2, queue: 10, acquireTimeoutMs: 2000, statementTimeoutMs: 5000, connectTimeoutSeconds: 3 }

for (const preparedStatements of [true, false]) {
  t.test(`statements whose text is made once, ${preparedStatements ? 'prepared' : 'not prepared'} by PostgreSQL`, async t => {
    const pool = createPool({ ...options, location: await createTestDatabase(t), preparedStatements })
    t.teardown(async () => { await pool.close() })

    t.test('values by name, each sent once, and constants in the text', async t => {
      let built = 0
      const describe = createStatement<'n' | 'name' | 'bytes', { doubled: number, name: string | null, bytes: Buffer, constant: string }>(value => {
        built++
        return sql`select ${value('n')}::int + ${value('n')}::int as doubled, ${value('name')}::text as name, ${value('bytes')}::bytea as bytes, ${'it\'s $1'} || ${7} as constant`
      })
      const bytes = Buffer.from([0, 255])
      for (const [n, name] of [[1, 'Ada'], [2, null], [3, '\'; drop table users; --']] as const) {
        t.strictSame([...await pool.run(async orm => await describe(orm, { n, name, bytes }))], [{ doubled: 2 * n, name, bytes, constant: 'it\'s $17' }])
      }
      t.equal(built, 1)
    })

    t.test('an error is the one of PostgreSQL, and the connection goes on', async t => {
      const divide = createStatement<'by', { result: number }>(value => sql`select 1 / ${value('by')}::int as result`)
      await t.rejects(pool.run(async orm => await divide(orm, { by: 0 })), { code: '22012' })
      t.match(await pool.run(async orm => await divide(orm, { by: 1 })), [{ result: 1 }])
    })

    t.test('queries of the builder, once for each connection, in transactions too', async t => {
      const built = new Set<Orm>()
      const selectById = prepared(orm => {
        t.notOk(built.has(orm))
        built.add(orm)
        return orm.select({ email: users.email }).from(users).where(eq(users.id, sql.placeholder('id'))).prepare('email')
      })
      const id = '01900000-0000-7000-8000-000000000000'
      await pool.transaction(async orm => {
        t.same(await selectById(orm).execute({ id }), [])
        await orm.insert(users).values({ id, email: 'ada@example.com', emailCanonical: 'ada@example.com' })
        t.same(await selectById(orm).execute({ id }), [{ email: 'ada@example.com' }])
      })
      const found = await Promise.all(Array.from({ length: 6 }, async () => await pool.run(async orm => await selectById(orm).execute({ id }))))
      t.ok(found.every(([row]) => row?.email === 'ada@example.com'))
      t.equal(built.size, 2)
    })
  })
}

import Fastify from 'fastify'
import t from 'tap'
import { dbPlugin } from '../../../plugins/db.ts'
import { connect, createTestDatabase } from '../../helpers/database.ts'

const id = (n: number): string => `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`

t.test('revocations', async t => {
  const location = await createTestDatabase(t)
  const app = Fastify()
  t.teardown(async () => { await app.close() })
  await app.register(dbPlugin, location)
  const { revocations } = app.authServeDb
  const sql = connect(location)
  t.teardown(async () => { await sql.end() })
  const add = async (n: number, life: string): Promise<void> => {
    await sql`insert into revocations (subject_id, kind, authz_version, expires_at) values (${id(n)}, 'user', 2, now() + ${life}::interval)`
  }
  const stored = async (): Promise<string[]> => (await sql`select subject_id from revocations order by 1`).map(row => row.subject_id)

  t.test('the purge takes what has expired, so many at a time', async t => {
    for (const [n, life] of ['-1 second', '-1 hour', '-2 hours', '1 minute'].entries()) await add(n, life)
    t.equal(await revocations.purge(2), 2)
    t.equal(await revocations.purge(2), 1)
    t.equal(await revocations.purge(2), 0)
    t.same(await stored(), [id(3)])
  })

  t.test('the purge spares a row that is prolonged while it looks', async t => {
    await sql`truncate revocations`
    await add(1, '-1 minute')
    await sql.begin(async other => {
      await other`update revocations set expires_at = now() + interval '1 hour' where subject_id = ${id(1)}`
      t.equal(await revocations.purge(10), 0, 'and does not wait for it')
    })
    t.same(await stored(), [id(1)])
  })

  t.test('pages in order, of live rows only', async t => {
    await sql`truncate revocations`
    for (const [n, life] of ['1 hour', '-1 hour', '1 hour', '1 hour'].entries()) await add(n, life)
    const first = await revocations.listLive(undefined, 2)
    t.same(first.items.map(({ subjectId }) => subjectId), [id(0), id(2)])
    t.ok(Math.abs(first.now.getTime() - Date.now()) < 60_000)
    t.same((await revocations.listLive(id(2), 2)).items.map(({ subjectId }) => subjectId), [id(3)])
    t.same((await revocations.listLive(id(3), 2)).items, [])
  })
})

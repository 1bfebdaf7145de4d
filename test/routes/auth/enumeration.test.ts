import t from 'tap'
import { connect } from '../../helpers/database.ts'
import { goodPassword, newEmail, post, signUp } from '../../helpers/people.ts'
import { createMeasuredApp } from '../../helpers/work.ts'

t.test('POST /auth/login costs the same for everybody who gets INVALID_CREDENTIALS', async t => {
  const api = await createMeasuredApp(t)
  const sql = connect(api.database)
  t.teardown(async () => { await sql.end() })
  const known = await signUp(api)
  const deleted = await signUp(api)
  await sql`update users set deleted_at = now() where id = ${deleted.id}`
  // Prepares the statements of this connection.
  await post(api, '/auth/login', { email: newEmail(), password: goodPassword })

  const unknown = await api.measurePost('/auth/login', { email: newEmail(), password: goodPassword })
  t.equal(unknown.response.statusCode, 401)
  t.match(unknown.work, { hashes: 1, outboxRows: 0, auditRows: 1 })
  t.equal(unknown.work.statements.length, 3, 'the account, the count of failures, the event')
  for (const [who, body] of Object.entries({
    'wrong password': { email: known.email, password: 'not the password' },
    'deleted account': { email: deleted.email, password: goodPassword }
  })) {
    const other = await api.measurePost('/auth/login', body)
    t.equal(other.response.statusCode, 401)
    t.same(other.work, unknown.work, who)
  }
})

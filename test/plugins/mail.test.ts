import { readdir, stat } from 'node:fs/promises'
import t from 'tap'
import { createTestApp } from '../helpers/app.ts'
import { connect } from '../helpers/database.ts'
import { createMailbox } from '../helpers/mailbox.ts'
import { goodPassword, newEmail, post } from '../helpers/people.ts'

t.test('a registration is followed by a mail with a link, in a file that only its owner reads', async t => {
  const mailbox = await createMailbox(t)
  const api = await createTestApp(t, { mail: mailbox.options })
  const email = newEmail()
  t.equal((await post(api, '/auth/register', { email, password: goodPassword })).statusCode, 201)
  const mail = await mailbox.take(email, 'verify-email')
  t.match(mail.subject, /Confirm/)
  t.equal(mail.link, `http://localhost/pages/verify-email#token=${mail.token}`)
  t.match(mail.token, /^[\w-]{43}$/)
  t.ok(mail.html.includes(mail.link))
  const [name = ''] = await readdir(mailbox.options.directory)
  t.match(name, /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}Z-verify-email-[0-9a-f-]{36}\.eml$/)
  t.equal((await stat(mailbox.options.directory)).mode & 0o777, 0o700)
  t.equal((await stat(`${mailbox.options.directory}/${name}`)).mode & 0o777, 0o600)
  const sql = connect(api.database)
  t.teardown(async () => { await sql.end() })
  t.match([...await sql`select status, sealed, "values", attempts from outbox`], [{ status: 'sent', sealed: null, values: {}, attempts: 1 }])
})

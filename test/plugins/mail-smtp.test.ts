import { once } from 'node:events'
import { createServer } from 'node:net'
import t, { type Test } from 'tap'
import type { MailOptions } from '../../plugins/mail.ts'
import { createTestApp } from '../helpers/app.ts'
import { connect, createTestDatabase, urlOf } from '../helpers/database.ts'
import { signUpAdmin } from '../helpers/keys.ts'
import { createTestOutbox, tokenOf } from '../helpers/outbox.ts'
import { goodPassword, newEmail, post, signUp } from '../helpers/people.ts'
import { createDatabaseProxy } from '../helpers/proxy.ts'
import { stop } from '../helpers/processes.ts'
import { startService, temporaryFolder } from '../helpers/service.ts'
import { answer, createSmtpServer } from '../helpers/smtp.ts'
import { until } from '../helpers/until.ts'

const canary = 'canary-smtp-p@ss/word'
const quick: MailOptions = { pollMs: 50, connectionTimeoutMs: 500, greetingTimeoutMs: 500, socketTimeoutMs: 500, closeTimeoutMs: 200 }

async function build (t: Test, smtpUrl: string, options: MailOptions = {}) {
  const api = await createTestApp(t, { mail: { smtpUrl, ...quick, ...options } })
  const outbox = createTestOutbox(t, api.database)
  const register = async (email = newEmail()): Promise<string> => {
    const response = await post(api, '/auth/register', { email, password: goodPassword })
    t.equal(response.statusCode, 201)
    return email
  }
  const idFor = async (email: string): Promise<string> => String((await outbox.sql`select id from outbox where recipient = ${email}`)[0]?.id)
  const get = async (url: string, headers = {}) => await api.request({ method: 'GET', url, headers })
  return { api, outbox, register, idFor, get }
}

t.test('SMTP stopped: registration answers 201, an operator sees it, and the mail arrives soon after SMTP is back', async t => {
  const smtp = await createSmtpServer(t)
  const { api, outbox, register, idFor, get } = await build(t, smtp.url)
  await outbox.settled(await idFor(await register()), 'sent')
  await smtp.stop()
  const people = [await register(), await register(), await register()]
  await until('the breaker opens', async () => (await get('/metrics')).body.includes('auth_serve_breaker_state{breaker="mail",state="open"} 1'))
  const readiness = await get('/readiness')
  t.equal(readiness.statusCode, 200)
  t.match(readiness.json().dependencies, { mail: { status: 'down' }, database: { status: 'up' } })
  t.match((await get('/metrics')).body, /auth_serve_outbox_mails\{status="pending"\} 3\nauth_serve_outbox_mails\{status="failed"\} 0\n/)
  t.match((await get('/metrics')).body, /auth_serve_outbox_oldest_pending_seconds [\d.]+/)
  t.match([...await outbox.sql`select status, sealed is null as unsealed, last_error from outbox where attempts > 0 and status = 'pending' limit 1`], [{ last_error: /^ESOCKET: connect ECONNREFUSED 127\.0\.0\.1:\d+$/ }])

  // As after an outage of many minutes.
  await outbox.sql`update outbox set next_attempt_at = now() + interval '55 seconds' where status = 'pending' and recipient <> ${people[0] ?? ''}`
  await smtp.start()
  for (const email of people) t.match((await smtp.arrived(email)).mail.text, /\/pages\/verify-email#token=[\w-]{43}\n/)
  for (const email of people) await outbox.settled(await idFor(email), 'sent')
  t.match((await get('/readiness')).json().dependencies.mail, { status: 'up' })
  const tries = await outbox.sql`select attempts from outbox`
  t.ok(tries.every(({ attempts }) => attempts <= 8), 'while the breaker was open nothing was counted')
  t.equal(api.log.lines().filter(({ level, msg }) => level === 'warn' && /a mail was not sent/.test(String(msg))).length < 5, true, 'an outage fills no log')
})

t.test('SMTP slow, silent or gone in the middle: registration is as fast, and the mail arrives in the end', async t => {
  const smtp = await createSmtpServer(t)
  const proxy = await createDatabaseProxy(t, { url: smtp.url })
  const { outbox, register } = await build(t, 'url' in proxy.location ? proxy.location.url : '')
  proxy.freeze()
  const email = await register()
  await until('the server was given up', async () => (await outbox.sql`select 1 from outbox where last_error like 'ETIMEDOUT%'`).length === 1)
  await proxy.cut()
  await until('it was tried again', async () => (await outbox.sql`select 1 from outbox where last_error like 'ESOCKET%'`).length === 1)
  await proxy.restore()
  await smtp.arrived(email)
})

t.test('a server that trickles is given up, so that a lease outlives every try', async t => {
  const trickling = createServer(socket => {
    socket.on('error', () => {}).write('220-still here\r\n')
    const timer = setInterval(() => socket.write('220-still here\r\n'), 50)
    socket.on('close', () => { clearInterval(timer) })
  }).listen(0, '127.0.0.1')
  await once(trickling, 'listening')
  t.teardown(() => { trickling.close() })
  const address = trickling.address()
  const { api, outbox, register } = await build(t, `smtp://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`, { greetingTimeoutMs: 60_000, connectionTimeoutMs: 60_000, sendTimeoutMs: 300 })
  await register()
  await until('the try is over', async () => (await outbox.sql`select 1 from outbox where last_error = 'it took longer than 300 ms'`).length === 1)
  const began = performance.now()
  await api.app.close()
  t.ok(performance.now() - began < 3000, 'and a stop waits for nobody')
})

t.test('what a server answers about one mail', async t => {
  const refusals = new Map<string, Error>()
  const smtp = await createSmtpServer(t, { onRcptTo: ({ address }, _session, callback) => { callback(refusals.get(address)) } })
  const { api, outbox, register, idFor, get } = await build(t, smtp.url)
  const admin = await signUpAdmin(api)
  const list = async (query = '') => (await get(`/api/v1/admin/outbox${query}`, admin.authorization)).json()
  const retry = async (id: string, authorization: object = admin.authorization) => await api.request({ method: 'POST', url: `/api/v1/admin/outbox/${id}/retry`, headers: { ...authorization } })

  t.test('4xx: it is tried again', async t => {
    const email = newEmail()
    refusals.set(email, answer(450, 'greylisted'))
    await register(email)
    const id = await idFor(email)
    await until('it was refused', async () => (await outbox.row(id))?.last_error !== null)
    t.match(await outbox.row(id), { status: 'pending', last_error: /^EENVELOPE: .*450 greylisted/ })
    refusals.delete(email)
    await smtp.arrived(email)
    t.match((await list()).items.find(({ to }: { to: string }) => to === email), { template: 'verify-email' })
  })

  t.test('5xx: it is a dead letter at once, which is listed and retried; the breaker stays closed', async t => {
    const emails = Array.from({ length: 7 }, newEmail)
    for (const email of emails) {
      refusals.set(email, answer(550, 'no such mailbox'))
      await outbox.addPerson({ email })
      await outbox.order({ template: 'verify-email', recipient: email })
    }
    const [email = ''] = emails
    for (const each of emails) await outbox.settled(await idFor(each), 'failed')
    t.match((await get('/metrics')).body, /auth_serve_breaker_state\{breaker="mail",state="closed"\} 1\n[^]*auth_serve_outbox_mails\{status="failed"\} 7\n/)
    const id = await idFor(email)
    const { items } = await list('?status=failed')
    t.equal(items.length, 7)
    t.match(items.at(-1), { id, template: 'verify-email', to: email, status: 'failed', attempts: 1, lastError: /550 no such mailbox/, nextAttemptAt: null, sentAt: null })
    t.same(await outbox.search('sealed": "v1'), [])
    t.equal((await outbox.row(id))?.sealed, null, 'nothing that could be opened is left')

    refusals.delete(email)
    await outbox.sql`update outbox set created_at = now() - interval '3 days' where id = ${id}`
    const answered = await retry(id)
    t.equal(answered.statusCode, 202)
    t.same(answered.json(), {})
    await smtp.arrived(email)
    t.equal((await outbox.settled(id, 'sent')).attempts, 2, 'the first one counts, too')
    const [event] = await outbox.sql`select type, actor_id, details from audit_events where type = 'authz_admin'`
    t.match(event, { actor_id: admin.id, details: { action: 'mail_retried', mailId: id } })
    t.match((await list('?status=sent')).items.find((item: { id: string }) => item.id === id), { status: 'sent', nextAttemptAt: null, sentAt: /Z$/, createdAt: /Z$/ })
  })

  t.test('a dead letter that is retried has all its time again', async t => {
    const email = newEmail()
    refusals.set(email, answer(550, 'no such mailbox'))
    await outbox.addPerson({ email })
    const id = await outbox.order({ template: 'verify-email', recipient: email })
    await outbox.settled(id, 'failed')
    refusals.set(email, answer(450, 'greylisted'))
    await outbox.sql`update outbox set created_at = now() - interval '3 days' where id = ${id}`
    await retry(id)
    await until('it was tried', async () => Number((await outbox.row(id))?.attempts) > 1 && (await outbox.row(id))?.leased_until === null)
    t.equal((await outbox.row(id))?.status, 'pending')
    await outbox.sql`update outbox set created_at = now() - interval '3 days' where id = ${id}`
    await outbox.makeDue(id)
    await outbox.settled(id, 'failed')
  })

  t.test('the routes are for administrators, page by page', async t => {
    const person = await signUp(api)
    const id = '0199aaaa-bbbb-7ccc-8ddd-eeeeffff0003'
    for (const [headers, code] of [[{}, 'TOKEN_MISSING'], [person.authorization, 'FORBIDDEN']] as const) {
      t.match((await get('/api/v1/admin/outbox', headers)).json(), { code })
      t.match((await retry(id, headers)).json(), { code })
    }
    t.match((await retry(id)).json(), { status: 404, code: 'NOT_FOUND' })
    t.match((await retry('nonsense')).json(), { status: 422, code: 'INVALID_INPUT' })
    const [sent] = await outbox.sql`select id from outbox where status = 'sent' limit 1`
    t.match((await retry(String(sent?.id))).json(), { status: 404, code: 'NOT_FOUND' })
    for (const query of ['?status=lost', '?limit=0', '?cursor=x', '?to=x']) t.equal((await list(query)).status, 422, query)

    const seen: string[] = []
    for (let cursor: string | null = ''; cursor !== null;) {
      const page = await list(`?status=failed&limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`)
      seen.push(...page.items.map((item: { id: string }) => item.id))
      cursor = page.nextCursor
    }
    const failed = await outbox.sql`select id from outbox where status = 'failed' order by id desc`
    t.same(seen, failed.map(row => row.id))
    const { nextCursor } = await list('?status=failed&limit=2')
    t.equal((await list(`?status=sent&cursor=${nextCursor}`)).status, 422, 'a cursor of another filter')
  })
})

t.test('TLS and a password: they are used, and the password is told to nobody', async t => {
  let accept = true
  const smtp = await createSmtpServer(t, {
    secure: true,
    authOptional: false,
    onAuth ({ username, password }, _session, callback) {
      if (accept && password === canary) callback(null, { user: username })
      else callback(answer(535, `wrong password ${password} ${Buffer.from(`\0${username}\0${password}`).toString('base64')}`))
    }
  })
  const url = `smtps://mailer:${encodeURIComponent(canary)}@127.0.0.1:${smtp.port}`
  const { api, outbox, register } = await build(t, `${url}?tls.rejectUnauthorized=false`)
  const email = await register()
  t.match(await smtp.arrived(email), { secure: true, user: 'mailer' })

  accept = false
  const refused = await createTestApp(t, { mail: { smtpUrl: `${url}?tls.rejectUnauthorized=false`, ...quick } }, api.database)
  await api.app.close()
  const other = newEmail()
  await post(refused, '/auth/register', { email: other, password: goodPassword })
  await until('it was refused', async () => (await outbox.sql`select 1 from outbox where last_error like 'EAUTH%'`).length === 1)
  const [row] = await outbox.sql`select last_error, status from outbox where recipient = ${other}`
  t.match(row, { status: 'pending', last_error: /535 wrong password \[hidden\] \[hidden\]/ })
  const texts = [api.log.text(), refused.log.text(), (await refused.request({ method: 'GET', url: '/metrics' })).body, JSON.stringify(await outbox.sql`select * from outbox`), JSON.stringify(await outbox.sql`select * from audit_events`)]
  for (const secret of [canary, encodeURIComponent(canary), Buffer.from(canary).toString('base64')]) t.same(texts.filter(text => text.includes(secret)), [], secret)
})

t.test('a certificate that nobody vouches for is an outage: nothing is sent over it', async t => {
  const smtp = await createSmtpServer(t, { secure: true })
  const { outbox, register } = await build(t, `smtps://127.0.0.1:${smtp.port}`)
  await register()
  await until('it was refused', async () => (await outbox.sql`select 1 from outbox where last_error ~* 'certificate'`).length === 1)
  t.equal(smtp.mails.length, 0)
})

t.test('where the answer of the server is lost, the mail comes again with the same Message-ID and link', async t => {
  const holder: { cut?: () => Promise<void> } = {}
  const smtp = await createSmtpServer(t, { judge: async () => { await holder.cut?.() } })
  const proxy = await createDatabaseProxy(t, { url: smtp.url })
  holder.cut = async () => {
    holder.cut = undefined
    await proxy.cut()
  }
  const { outbox, register, idFor } = await build(t, 'url' in proxy.location ? proxy.location.url : '')
  const email = await register()
  await smtp.arrived(email, 1)
  await proxy.restore()
  await smtp.arrived(email, 2)
  const [first, second] = smtp.mails.map(({ mail }) => mail)
  t.ok(first?.messageId)
  t.equal(first?.messageId, second?.messageId)
  t.equal(tokenOf({ text: first?.text ?? '' }), tokenOf({ text: second?.text ?? '' }))
  t.ok((await outbox.settled(await idFor(email), 'sent')).attempts > 1)
})

t.test('kill -9 between the commit and the sending loses no mail', async t => {
  const smtp = await createSmtpServer(t)
  await smtp.stop()
  const location = await createTestDatabase(t)
  const proxy = await createDatabaseProxy(t, location)
  const settings = { DATABASE_URL: urlOf(proxy.location), DATA_DIR: await temporaryFolder(t), SMTP_URL: smtp.url, MAIL_FROM: 'Accounts <accounts@example.com>', RATE_LIMIT_ENABLED: 'false', LINK_BASE: 'https://app.example.com/account' }
  const service = await startService(t, settings)
  const email = newEmail()
  const response = await fetch(`${service.url}/api/v1/auth/register`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ email, password: goodPassword }) })
  t.equal(response.status, 201)
  const sql = connect(location)
  t.teardown(async () => { await sql.end() })
  await until('SMTP was tried', async () => (await sql`select 1 from outbox where last_error is not null and leased_until is null`).length === 1)
  await stop(service, 'SIGKILL')
  await smtp.start()
  await startService(t, settings)
  const { mail } = await smtp.arrived(email)
  t.match(mail.text, /https:\/\/app\.example\.com\/account\/verify-email#token=[\w-]{43}/)
  t.match(mail.from?.text, /Accounts/)
})

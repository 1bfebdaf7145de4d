import { readdir, stat } from 'node:fs/promises'
import t from 'tap'
import { MailOptionsSchema } from '../../plugins/mail.ts'
import { parseSender } from '../../src/mail/outgoing-mail.ts'
import { chooseTransport } from '../../src/mail/transports.ts'
import { parseOptions } from '../../src/options.ts'
import { hashActionToken } from '../../src/recovery/action-token.ts'
import { createTestApp, testSecret } from '../helpers/app.ts'
import { createTestDatabase } from '../helpers/database.ts'
import { createMailbox } from '../helpers/mailbox.ts'
import { createTestOutbox, createTestTransport, tokenOf } from '../helpers/outbox.ts'
import { goodPassword, newEmail, post } from '../helpers/people.ts'
import { until } from '../helpers/until.ts'

const pollMs = 50
const device = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'
const later = Object.assign(new Error('Message failed: 451 try later'), { code: 'EMESSAGE', responseCode: 451, command: 'DATA' })

t.test('without SMTP mails are files', async t => {
  const mailbox = await createMailbox(t)
  const api = await createTestApp(t, { mail: mailbox.options })
  const outbox = createTestOutbox(t, api.database)

  t.test('a registration is followed by a mail with a link, in a file that only its owner reads', async t => {
    const email = newEmail()
    t.equal((await post(api, '/auth/register', { email, password: goodPassword, firstName: 'Ada' })).statusCode, 201)
    const mail = await mailbox.take(email, 'verify-email')
    t.match(mail.subject, /Confirm/)
    t.equal(mail.link, `http://localhost/pages/verify-email#token=${mail.token}`)
    t.match(mail.token, /^[\w-]{43}$/)
    t.ok(mail.html.includes(`href="${mail.link}"`))
    t.notMatch(mail.text + mail.html, /Ada/, 'nobody has proven yet that the name belongs to the address')
    const [name = ''] = await readdir(mailbox.options.directory)
    t.match(name, /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}Z-verify-email-[0-9a-f-]{36}\.eml$/)
    t.equal((await stat(mailbox.options.directory)).mode & 0o777, 0o700)
    t.equal((await stat(`${mailbox.options.directory}/${name}`)).mode & 0o777, 0o600)
    t.equal(mail.headers.get('auto-submitted'), 'auto-generated')
    t.match(mail.headers.get('message-id'), /^<[0-9a-f-]{36}@localhost>$/)
    const [row] = await outbox.sql`select id from outbox where recipient = ${email}`
    t.match(await outbox.settled(String(row?.id), 'sent'), { attempts: 1, sealed: null, values: {} })
  })

  t.test('whatever people call themselves and their programs is text, never markup', async t => {
    const hostile = '<img src=x onerror="alert(1)">\r\nBcc: victim@example.com & \u202Eevil'
    const { id, email } = await outbox.addPerson({ verified: true, firstName: hostile })
    await outbox.order({ template: 'security-notice', userId: id, recipient: email, values: { notice: 'new-device', ipAddress: '<b>1</b>', userAgent: `<img src=x onerror=alert(1)> ${device}`, newEmail: '"><script>@example.com' } })
    const mail = await mailbox.take(email, 'security-notice')
    t.equal(mail.notice, 'new-device')
    t.match(mail.html, /Hello &lt;img src=x onerror=&quot;alert\(1\)&quot;&gt; Bcc: victim@example\.com &amp; evil,/)
    t.notMatch(mail.html, /<img|<script|<b>|\u202E/)
    t.match(mail.text, /^Hello <img src=x onerror="alert\(1\)"> Bcc: victim@example\.com & evil,$/m)
    t.notOk(mail.headers.has('bcc'))
  })

  t.test('a notice says what happened, when, from where, and what to do', async t => {
    const { id, email } = await outbox.addPerson({ verified: true, firstName: 'Grace' })
    await outbox.order({ template: 'security-notice', userId: id, recipient: email, values: { notice: 'new-device', ipAddress: '203.0.113.7', userAgent: device } })
    const { text, subject } = await mailbox.take(email, 'security-notice')
    t.equal(subject, 'A new device signed in')
    t.match(text, new RegExp(`When: ${new Date().getUTCDate()} \\w+ \\d{4} at \\d\\d:\\d\\d UTC\nDevice: Firefox on Linux\nAddress: 203\\.0\\.113\\.7`))
    t.match(text, /Hello Grace,[^]*If it was not you, set a new password at once/)
  })

  t.test('a notice reaches an account that was deleted; one about an address that nobody has is dropped', async t => {
    const { id, email } = await outbox.addPerson({ verified: true, deleted: true })
    await outbox.order({ template: 'security-notice', userId: id, recipient: email, values: { notice: 'account-deleted' } })
    t.equal((await mailbox.take(email, 'security-notice')).notice, 'account-deleted')
    const stranger = newEmail()
    for (const recipient of [stranger, null]) await outbox.dropped(await outbox.order({ template: 'security-notice', recipient, values: { notice: 'account-locked' } }))
    t.equal(await mailbox.count(stranger), 0)
  })

  t.test('addresses of any script arrive where they should', async t => {
    for (const email of ['józef.ñandú@example.com', '用户@xn--fsqu00a.xn--0zwm56d', 'o\'brien+tag!#$%&*=?^_{|}~@example.com']) {
      await outbox.addPerson({ email })
      await outbox.order({ template: 'reset-password', recipient: email })
      t.match((await mailbox.take(email, 'reset-password')).token, /^[\w-]{43}$/, email)
    }
  })

  t.test('every mail of every kind has words, a subject in one line and a text part', async t => {
    const { id, email } = await outbox.addPerson()
    const elsewhere = newEmail()
    for (const template of ['verify-email', 'reset-password', 'invitation'] as const) {
      await outbox.order({ template, userId: id, recipient: email })
      t.ok((await mailbox.take(email, template)).link.includes(`/pages/${template}#token=`))
    }
    for (const template of ['change-email', 'undo-email-change'] as const) {
      await outbox.order({ template, userId: id, recipient: elsewhere })
      t.ok((await mailbox.take(elsewhere, template)).link.includes(`/pages/${template}#token=`))
    }
    for (const taken of ['email', 'username']) {
      await outbox.order({ template: 'already-registered', recipient: email, values: { taken } })
      const mail = await mailbox.take(email, 'already-registered')
      t.match(mail.text, taken === 'email' ? /has an account already/ : /username that is taken/)
      t.equal(mail.token, '')
    }
  })
})

t.test('a token is made when a mail is sent', async t => {
  const transport = createTestTransport()
  const api = await createTestApp(t, { mail: { transport, pollMs, resetTtlSeconds: 60 } })
  const outbox = createTestOutbox(t, api.database)
  t.beforeEach(() => { transport.fail = undefined })

  t.test('it stands in the database hashed and sealed only, stays the same from try to try, and is forgotten once it was sent', async t => {
    const { id: userId, email } = await outbox.addPerson()
    transport.fail = later
    const id = await outbox.order({ template: 'reset-password', recipient: email, values: { note: 'kept with the token' } })
    const first = await transport.arrived(email)
    t.match(await outbox.hold(id), { last_error: 'EMESSAGE: Message failed: 451 try later', sealed: /^v1\./ })
    const token = tokenOf(first)
    t.equal(token.length, 43)
    const texts = [token, Buffer.from(token, 'base64url').toString('hex'), Buffer.from(token).toString('hex'), Buffer.from(token).toString('base64url')]
    for (const text of texts) t.same(await outbox.search(text), [])

    await outbox.sql`update action_tokens set expires_at = now() - interval '1 minute' where token_hash = ${hashActionToken(token)}`
    transport.fail = undefined
    await outbox.makeDue(id)
    t.match(await outbox.settled(id, 'sent'), { sealed: null, values: {} })
    const mails = transport.to(email)
    t.equal((await outbox.row(id))?.attempts, mails.length)
    t.ok(mails.length > 1)
    t.same([...new Set(mails.map(tokenOf))], [token])
    t.same([...new Set(mails.map(({ messageId }) => messageId))], [`<${id}@localhost>`], 'a mailbox can tell that it came twice')
    for (const text of texts) t.same(await outbox.search(text), [])
    const [row] = await outbox.sql`select user_id, email, data, purpose, extract(epoch from expires_at - now()) as life from action_tokens where token_hash = ${hashActionToken(token)}`
    t.match(row, { user_id: userId, email, data: { note: 'kept with the token' }, purpose: 'reset-password' })
    t.ok(Number(row?.life) > 50, 'its life began with the try that sent it')
  })

  t.test('one that was used before a later try is sent no more', async t => {
    const { email } = await outbox.addPerson()
    transport.fail = later
    const id = await outbox.order({ template: 'reset-password', recipient: email })
    const token = tokenOf(await transport.arrived(email))
    await outbox.hold(id)
    const before = transport.to(email).length
    await outbox.sql`delete from action_tokens where token_hash = ${hashActionToken(token)}`
    transport.fail = undefined
    await outbox.makeDue(id)
    await outbox.dropped(id)
    t.equal(transport.to(email).length, before)
  })

  t.test('a newer order voids the link of an older one, which is dropped', async t => {
    const { email } = await outbox.addPerson()
    transport.fail = later
    const older = await outbox.order({ template: 'reset-password', recipient: email })
    const token = tokenOf(await transport.arrived(email))
    await outbox.hold(older)
    const newer = await outbox.order({ template: 'reset-password', recipient: email })
    transport.fail = undefined
    await outbox.settled(newer, 'sent')
    await outbox.makeDue(older)
    await outbox.dropped(older)
    const tokens = await outbox.sql`select token_hash from action_tokens where email = ${email}`
    t.same(tokens.map(row => row.token_hash), [hashActionToken(tokenOf(await transport.arrived(email)))])
    t.notSame(tokens[0]?.token_hash, hashActionToken(token))
  })

  t.test('a newer way back from a change of address leaves the older one good', async t => {
    const { id: userId } = await outbox.addPerson()
    const [first, second] = [newEmail(), newEmail()]
    for (const recipient of [first, second]) await outbox.settled(await outbox.order({ template: 'undo-email-change', userId, recipient }), 'sent')
    t.equal((await outbox.sql`select 1 from action_tokens where user_id = ${userId}`).length, 2)
  })

  t.test('nothing is sent to somebody who is unknown, verified, disabled, deleted, or has another address by now', async t => {
    const people = [await outbox.addPerson({ active: false }), await outbox.addPerson({ deleted: true })]
    const verified = await outbox.addPerson({ verified: true })
    const stranger = newEmail()
    const orders = [
      ...people.map(({ email }) => ({ template: 'reset-password' as const, recipient: email })),
      ...people.map(({ email, id }) => ({ template: 'verify-email' as const, userId: id, recipient: email })),
      { template: 'verify-email' as const, recipient: verified.email },
      { template: 'verify-email' as const, userId: verified.id, recipient: stranger },
      { template: 'invitation' as const, userId: verified.id, recipient: stranger },
      { template: 'change-email' as const, userId: verified.id, recipient: verified.email },
      { template: 'undo-email-change' as const, userId: verified.id, recipient: verified.email },
      { template: 'reset-password' as const, recipient: stranger },
      { template: 'reset-password' as const, recipient: null }
    ]
    for (const order of orders) await outbox.dropped(await outbox.order(order))
    t.same(transport.mails.filter(({ to }) => [stranger, verified.email, ...people.map(({ email }) => email)].includes(to.address)), [])
    t.same([...await outbox.sql`select 1 from action_tokens where user_id = any(${[verified.id, ...people.map(({ id }) => id)]})`], [])
  })

  t.test('50 resends at once are one mail', async t => {
    const { email } = await outbox.addPerson()
    const answers = await Promise.all(Array.from({ length: 50 }, async () => await post(api, '/auth/email/resend', { email })))
    t.ok(answers.every(({ statusCode }) => statusCode === 202))
    await transport.arrived(email)
    t.equal((await outbox.sql`select 1 from outbox where recipient = ${email}`).length, 1)
    await outbox.sql`update mail_cooldowns set until = now()`
    await post(api, '/auth/email/resend', { email })
    await transport.arrived(email, 2)
    t.equal((await outbox.sql`select 1 from outbox where recipient = ${email}`).length, 2, 'and another once the cooldown is over')
  })

  t.test('what expired and what is old is removed; a token whose mail may still be tried is not', async t => {
    const { email, id: userId } = await outbox.addPerson()
    const now = Date.now()
    const idOf = (daysAgo: number): string => {
      const hex = (now - daysAgo * 86_400_000).toString(16).padStart(12, '0')
      return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`
    }
    await outbox.sql`insert into outbox (id, template, recipient, status, created_at, next_attempt_at)
      select id::uuid, 'reset-password', ${email}, status, now() - days * interval '1 day', now() + interval '1 day'
      from unnest(${[idOf(31), idOf(32), idOf(33), idOf(34), idOf(29)]}::text[], ${['sent', 'failed', 'failed', 'pending', 'sent']}::text[], ${[31, 32, 1, 34, 29]}::int[]) as o(id, status, days)`
    await outbox.sql`insert into action_tokens (token_hash, purpose, user_id, email, expires_at)
      select sha256(hours::text::bytea), 'invitation', ${userId}, ${email}, now() - hours * interval '1 hour' from unnest(array[1, 47, 49]) hours`
    await outbox.sql`insert into mail_cooldowns (key, until) values ('\\x01', now() - interval '1 second'), ('\\x02', now() + interval '1 hour')`
    const sweeping = await createTestApp(t, { maintenance: { intervalMs: 50 } }, api.database)
    await until('the old is gone', async () => (await outbox.sql`select 1 from outbox where recipient = ${email}`).length === 3 && (await outbox.sql`select 1 from action_tokens where user_id = ${userId}`).length === 2)
    await sweeping.app.close()
    t.same((await outbox.sql`select id from outbox where recipient = ${email} order by id`).map(({ id }) => id), [idOf(34), idOf(33), idOf(29)], 'what waits, what was retried since, and what is new')
    t.same((await outbox.sql`select encode(key, 'hex') as key from mail_cooldowns where length(key) = 1`).map(({ key }) => key), ['02'])
  })
})

t.test('a secret that was rotated between two tries, and one that is gone', async t => {
  const location = await createTestDatabase(t)
  const outbox = createTestOutbox(t, location)
  const newer = 'a-newer-secret-of-the-test-suite-that-is-long-enough'
  const transport = createTestTransport()
  const start = async (secrets: string[]) => await createTestApp(t, { secrets, mail: { transport, pollMs } }, location)
  const { email } = await outbox.addPerson()
  transport.fail = later
  const before = await start([testSecret])
  const id = await outbox.order({ template: 'reset-password', recipient: email })
  const token = tokenOf(await transport.arrived(email))
  await outbox.hold(id)
  await before.app.close()
  let tries = transport.mails.length

  const during = await start([newer, testSecret])
  await outbox.makeDue(id)
  t.equal(tokenOf(await transport.arrived(email, tries + 1)), token, 'the old secret opens what it sealed')
  await outbox.hold(id)
  await during.app.close()
  tries = transport.mails.length

  transport.fail = undefined
  await start([newer])
  await outbox.makeDue(id)
  const replaced = tokenOf(await transport.arrived(email, tries + 1))
  await outbox.settled(id, 'sent')
  t.not(replaced, token, 'where nothing opens it there is a new token')
  t.same((await outbox.sql`select token_hash from action_tokens`).map(row => row.token_hash), [hashActionToken(replaced)])
})

t.test('templates of a host', async t => {
  const transport = createTestTransport()
  let broken = true
  const api = await createTestApp(t, {
    mail: {
      transport,
      pollMs,
      from: '"Ünïted, Mail" <accounts@example.com>',
      linkBase: 'https://app.example.com/account',
      templates: {
        'reset-password' ({ link, lifeSeconds, service, name, address }) {
          if (broken) throw new Error(`no words for ${link}`)
          return { subject: `Reset\r\nBcc: victim@example.com\u2028 at ${service}`, text: `${link} ${lifeSeconds} ${name} ${address}`, html: '<p>reset</p>' }
        }
      }
    }
  })
  const outbox = createTestOutbox(t, api.database)
  const { email } = await outbox.addPerson({ verified: true, firstName: 'Ada' })

  t.test('one that throws is a failed try, told without the token', async t => {
    const id = await outbox.order({ template: 'reset-password', recipient: email })
    await until('it was tried', async () => (await outbox.row(id))?.last_error !== null)
    t.equal((await outbox.row(id))?.last_error, 'no words for https://app.example.com/account/reset-password#token=[hidden]')
    broken = false
    await outbox.makeDue(id)
    const mail = await transport.arrived(email)
    t.equal(mail.subject, 'Reset Bcc: victim@example.com at Ünïted, Mail')
    t.match(mail.text, /^https:\/\/app\.example\.com\/account\/reset-password#token=[\w-]{43} 1800 Ada /)
    t.equal(mail.html, '<p>reset</p>')
    t.equal(mail.messageId, `<${id}@example.com>`)
    t.notOk(api.log.text().includes(tokenOf(mail)))
  })

  t.test('the others are as they are', async () => {
    await outbox.order({ template: 'already-registered', recipient: email, values: { taken: 'email' } })
    await until('it arrives', () => transport.mails.some(({ headers }) => headers['X-Template'] === 'already-registered'))
  })
})

t.test('two workers on one database send each mail once', async t => {
  const location = await createTestDatabase(t)
  const outbox = createTestOutbox(t, location)
  const transport = createTestTransport()
  await outbox.sql`insert into outbox (id, template, recipient, "values")
    select gen_random_uuid(), 'already-registered', n || '@example.com', '{"taken":"username"}' from generate_series(1, 80) n`
  for (let n = 0; n < 2; n++) await createTestApp(t, { mail: { transport, pollMs } }, location)
  await until('all are sent', async () => (await outbox.sql`select 1 from outbox where status <> 'sent'`).length === 0)
  t.equal(transport.mails.length, 80)
  t.equal(new Set(transport.mails.map(({ to }) => to.address)).size, 80)
})

t.test('a mail whose worker died in the middle of sending is taken over when the lease is over', async t => {
  const transport = createTestTransport()
  const api = await createTestApp(t, { mail: { transport, pollMs } })
  const outbox = createTestOutbox(t, api.database)
  const { email } = await outbox.addPerson()
  await outbox.sql`insert into outbox (id, template, recipient, attempts, leased_until) values (gen_random_uuid(), 'reset-password', ${email}, 1, now() + interval '500 ms')`
  const began = Date.now()
  await transport.arrived(email)
  t.ok(Date.now() - began > 300, 'not before')
})

t.test('without a way to send, orders wait and that is told once', async t => {
  const api = await createTestApp(t)
  const outbox = createTestOutbox(t, api.database)
  const email = newEmail()
  await post(api, '/auth/register', { email, password: goodPassword })
  t.match([...await outbox.sql`select status, attempts from outbox`], [{ status: 'pending', attempts: 0 }])
  t.equal(api.log.lines().filter(({ level, msg }) => level === 'warn' && /no mail is sent/.test(String(msg))).length, 1)
  t.notOk((await api.request({ method: 'GET', url: '/readiness' })).json().dependencies.mail)
  const transport = createTestTransport()
  await createTestApp(t, { mail: { transport, pollMs } }, api.database)
  t.equal((await transport.arrived(email)).headers['X-Template'], 'verify-email', 'and go out once there is one')
})

t.test('options that are not valid are refused, and show no password', async t => {
  const timeouts = { concurrency: 1, connectionTimeoutMs: 100, greetingTimeoutMs: 100, socketTimeoutMs: 100 }
  for (const from of ['a@example.com, b@example.com', 'nobody', '', 'team: a@example.com, b@example.com;', 'a@b@example.com']) t.throws(() => parseSender(from), /"from" must be one address/, from)
  t.throws(() => parseOptions('mail', MailOptionsSchema, { templates: { 'reset-pasword': () => {} } }), /\/templates\/reset-pasword/)
  t.throws(() => parseOptions('mail', MailOptionsSchema, { templates: { 'reset-password': 'text' } }), /\/templates\/reset-password/)
  for (const smtpUrl of ['smtp://user:canary-5/x@[', 'smtp://user:canary%zz@localhost']) {
    try {
      chooseTransport({ smtpUrl, ...timeouts })
      t.fail(smtpUrl)
    } catch (error) {
      t.match(error, { name: 'TypeError', message: /smtpUrl is no URL/ })
      t.notMatch(error, /canary/)
    }
  }
  t.throws(() => chooseTransport({ smtpUrl: 'smtp://localhost?logger=true&requireTLS=true&debug=1', ...timeouts }), /may not have: logger, debug;/, 'nothing prints the dialogue')
})

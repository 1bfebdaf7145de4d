import t, { type Test } from 'tap'
import { noticeOf, noTokens, problemOf, resetTokenFor } from '../../helpers/action-links.ts'
import { createTestApp, testSecret } from '../../helpers/app.ts'
import { connect, createTestDatabase } from '../../helpers/database.ts'
import { createMailbox, type TestMailbox } from '../../helpers/mailbox.ts'
import { goodPassword, newEmail, post, readMe, refresh, signIn, signUp } from '../../helpers/people.ts'
import { createDatabaseProxy } from '../../helpers/proxy.ts'
import { createStatementLog } from '../../helpers/statements.ts'
import { until } from '../../helpers/until.ts'
import { createMeasuredApp } from '../../helpers/work.ts'
import type { DatabaseLocation } from '../../../src/db/client.ts'
import { createSecrets } from '../../../src/keys/secrets.ts'
import { createOrderMail } from '../../../src/mail/order-mail.ts'
import { createInvite, type Invitation } from '../../../src/recovery/invite.ts'

const newPassword = 'patterns as the loom weaves flowers'

t.test('POST /auth/password/reset and /auth/invitation/accept', async t => {
  const mailbox = await createMailbox(t)
  const mail = { ...mailbox.options, cooldownSeconds: 0 }
  const api = await createTestApp(t, { login: { maxFailures: 3 }, database: { acquireTimeoutMs: 20_000 }, mail })
  const other = await createTestApp(t, {}, api.database)
  const sql = connect(api.database)
  t.teardown(async () => { await sql.end() })
  const reset = async (token: unknown, password: unknown = newPassword) => await post(api, '/auth/password/reset', { token, password })
  const accept = async (token: unknown, password: unknown = newPassword) => await post(api, '/auth/invitation/accept', { token, password })
  const resetTokenOf = async (email: string) => await resetTokenFor(api, mailbox, email)
  const changesOf = async (id: string) => (await sql`select outcome, details from audit_events where type = 'authn_password_change' and target_id = ${id} order by id`).map(row => ({ ...row }))
  const userOf = async (id: string) => (await sql`select * from users where id = ${id}`)[0]

  const orderMail = createOrderMail({ secrets: createSecrets([testSecret]), cooldownSeconds: 0, onOrdered: () => {} })
  const { invite } = createInvite({ orderMail })
  const inviteSomebody = async (invitation: Partial<Invitation> = {}) =>
    await api.scope.authServeDb.transaction(async stores => await invite(stores, () => {}, { email: newEmail(), roles: ['user'], ...invitation }))

  t.test('a new password: every session ends everywhere, the address is proven, links are void, nobody is signed in', async t => {
    const person = await signUp(api)
    const elsewhere = await signIn(other, person.email)
    const verification = (await mailbox.take(person.email, 'verify-email')).token
    const older = await resetTokenOf(person.email)
    const token = await resetTokenOf(person.email)
    const response = await reset(token)
    t.equal(response.statusCode, 204)
    t.equal(response.body, '')
    for (const { accessToken, refreshToken } of [person, elsewhere]) {
      t.equal((await readMe(api, accessToken)).json().code, 'SESSION_REVOKED')
      await until('the other instance knows', async () => (await readMe(other, accessToken)).json().code === 'SESSION_REVOKED')
      t.equal((await refresh(other, refreshToken)).json().code, 'REFRESH_TOKEN_INVALID')
    }
    t.equal((await post(api, '/auth/login', { email: person.email, password: goodPassword })).statusCode, 401)
    t.same(await changesOf(person.id), [{ outcome: 'success', details: { reason: 'reset', sessionsEnded: 2 } }])
    const user = await userOf(person.id)
    t.ok(user?.email_verified_at !== null && user?.devices_known_since !== null)
    for (const void_ of [token, older]) t.equal((await reset(void_)).json().code, 'ACTION_TOKEN_INVALID')
    t.equal((await post(api, '/auth/email/verify', { token: verification })).json().code, 'ACTION_TOKEN_INVALID')
    await signIn(api, person.email, newPassword)
    t.match((await noticeOf(mailbox, person.email, 'password-reset')).text, '127.0.0.1')
    t.notMatch(api.log.text(), new RegExp(`${token}|${newPassword}`))
  })

  t.test('a lock after failed logins is lifted', async t => {
    const person = await signUp(api)
    for (let n = 0; n < 3; n++) await post(api, '/auth/login', { email: person.email, password: 'not the password' })
    t.equal((await post(api, '/auth/login', { email: person.email, password: goodPassword })).statusCode, 429)
    t.equal((await reset(await resetTokenOf(person.email))).statusCode, 204)
    await signIn(api, person.email, newPassword)
  })

  t.test('422 for a weak password says why; the token stays good and nothing is written', async t => {
    const person = await signUp(api, { username: 'forgetful' })
    const token = await resetTokenOf(person.email)
    for (const [password, code] of [['short', 'too_short'], [`${person.email} as a password`, 'contains_email'], ['forgetful weaves algebra', 'contains_username']] as const) {
      const response = await reset(token, password)
      t.equal(response.statusCode, 422)
      t.match(response.json(), { code: 'INVALID_INPUT', errors: [{ path: '/body/password', code }] })
    }
    t.match((await post(api, '/auth/password/reset', { token, password: 1, more: true })).json(), { code: 'INVALID_INPUT' })
    t.same(await changesOf(person.id), [])
    await signIn(api, person.email)
    t.equal((await reset('unknown', 'short')).json().code, 'ACTION_TOKEN_INVALID', 'the token is judged first')
    t.equal((await reset(token)).statusCode, 204)
  })

  t.test('one and the same 422 for every token that is not good, and it changes nothing', async t => {
    const [person, disabled, deleted, expired, moved] = await Promise.all(Array.from({ length: 5 }, async () => await signUp(api)))
    const people = [person, disabled, deleted, expired, moved].flatMap(one => one ?? [])
    const tokens = []
    for (const { email } of people) tokens.push(await resetTokenOf(email))
    await sql`update users set is_active = false where id = ${disabled?.id ?? ''}`
    await sql`update users set deleted_at = now() where id = ${deleted?.id ?? ''}`
    await sql`update action_tokens set expires_at = now() where user_id = ${expired?.id ?? ''}`
    await sql`update users set email_canonical = ${newEmail()} where id = ${moved?.id ?? ''}`
    const verification = (await mailbox.take(person?.email ?? '', 'verify-email')).token
    const invited = await inviteSomebody()
    const invitation = (await mailbox.take(invited.emailCanonical, 'invitation')).token
    const first = await reset('unknown')
    t.equal(first.statusCode, 422)
    const hashesBefore = api.scope.authServePasswords.stats().total
    for (const token of [...tokens.slice(1), verification, invitation, `${tokens[0]} `, tokens[0]?.toUpperCase(), ...noTokens]) t.same(problemOf(await reset(token)), problemOf(first), JSON.stringify(token)?.slice(0, 50))
    for (const token of [...tokens, verification, ...noTokens]) t.same(problemOf(await accept(token)), problemOf(first), JSON.stringify(token)?.slice(0, 50))
    t.equal(api.scope.authServePasswords.stats().total, hashesBefore, 'no password is hashed for them')
    for (const { id } of people) t.same(await changesOf(id), [])
    t.equal((await reset(tokens[0])).statusCode, 204, 'they did not use up the good one')
    t.same(problemOf(await reset(tokens[0])), problemOf(first))
  })

  t.test('50 at once with one token: one succeeds, and its password counts', async t => {
    const person = await signUp(api)
    const token = await resetTokenOf(person.email)
    const answers = await Promise.all(Array.from({ length: 50 }, async (_, n) => ({ n, response: await reset(token, `${newPassword} ${n}`) })))
    const winners = answers.filter(({ response }) => response.statusCode === 204)
    t.equal(winners.length, 1)
    t.ok(answers.every(({ response }) => response.statusCode === 204 || response.json().code === 'ACTION_TOKEN_INVALID'), JSON.stringify(answers.map(({ response }) => response.statusCode)))
    await signIn(api, person.email, `${newPassword} ${winners[0]?.n}`)
    t.equal((await changesOf(person.id)).length, 1)
  })

  t.test('a login with the old password that is under way opens no session that outlives the reset', async t => {
    let [signedIn, refused] = [0, 0]
    const person = await signUp(api)
    let current = goodPassword
    for (let n = 0; n < 6; n++) {
      const [token, next] = [await resetTokenOf(person.email), `${newPassword} ${n}`]
      const logins = Array.from({ length: 3 }, async () => await post(n % 2 === 0 ? api : other, '/auth/login', { email: person.email, password: current }))
      const [response, ...answers] = await Promise.all([reset(token, next), ...logins])
      t.equal(response.statusCode, 204)
      for (const answer of answers) {
        if (answer.statusCode === 200) {
          signedIn++
          t.equal((await readMe(api, answer.json().accessToken)).json().code, 'SESSION_REVOKED')
        } else refused++
      }
      const [{ live } = { live: -1 }] = await sql`select count(*)::int as live from sessions where user_id = ${person.id} and revoked_at is null`
      t.equal(live, 0)
      current = next
    }
    t.comment(`${signedIn} logins came before the reset, ${refused} after it`)
  })

  t.test('a reset and a change of password at once: one of them counts', async t => {
    for (let n = 0; n < 4; n++) {
      const person = await signUp(api)
      const token = await resetTokenOf(person.email)
      const [changed, set] = await Promise.all([
        post(api, '/users/me/password', { currentPassword: goodPassword, newPassword: 'chosen by who is signed in' }, person.authorization),
        reset(token)
      ])
      t.same([changed.statusCode, set.statusCode].filter(status => status === 204).length, 1, `${changed.statusCode} ${set.statusCode}`)
      t.ok(set.statusCode === 204 ? [401, 403, 409].includes(changed.statusCode) : set.json().code === 'ACTION_TOKEN_INVALID')
      await signIn(api, person.email, set.statusCode === 204 ? newPassword : 'chosen by who is signed in')
      t.equal((await changesOf(person.id)).length, 1)
    }
  })

  t.test('a change of password is told, and makes links void that were sent before', async t => {
    const person = await signUp(api)
    const token = await resetTokenOf(person.email)
    const verification = (await mailbox.take(person.email, 'verify-email')).token
    await post(api, '/users/me/password', { currentPassword: goodPassword, newPassword }, person.authorization)
    await noticeOf(mailbox, person.email, 'password-changed')
    t.equal((await reset(token)).json().code, 'ACTION_TOKEN_INVALID')
    t.equal((await post(api, '/auth/email/verify', { token: verification })).statusCode, 204, 'the proof of the address is another matter')
  })

  t.test('a deletion is told', async t => {
    const person = await signUp(api)
    const token = await resetTokenOf(person.email)
    await api.request({ method: 'DELETE', url: '/api/v1/users/me', headers: person.authorization })
    await noticeOf(mailbox, person.email, 'account-deleted')
    t.equal((await reset(token)).json().code, 'ACTION_TOKEN_INVALID')
  })

  t.test('an invitation: the first password, a proven address, once', async t => {
    const invited = await inviteSomebody({ username: 'guest', firstName: 'Ada', roles: ['user', 'auditor'] })
    t.same(problemOf(await post(api, '/auth/login', { email: invited.email, password: newPassword })), problemOf(await post(api, '/auth/login', { email: newEmail(), password: newPassword })))
    const { token, link } = await mailbox.take(invited.emailCanonical, 'invitation')
    t.match(link, /\/pages\/invitation#token=/)
    t.match((await accept(token, 'short')).json(), { code: 'INVALID_INPUT', errors: [{ path: '/body/password', code: 'too_short' }] })
    t.match((await accept(token, 'the guest weaves algebra')).json().errors, [{ code: 'contains_username' }])
    const answers = await Promise.all([accept(token), accept(token), accept(token)])
    t.same(answers.map(({ statusCode }) => statusCode).sort(), [204, 422, 422])
    const { user } = (await post(api, '/auth/login', { username: 'guest', password: newPassword })).json()
    t.match(user, { id: invited.id, emailVerified: true, roles: ['user', 'auditor'], firstName: 'Ada' })
    t.same(await changesOf(invited.id), [{ outcome: 'success', details: { reason: 'invitation', sessionsEnded: 0 } }])
    t.equal(await mailbox.count(invited.emailCanonical, 'security-notice'), 0)
  })

  t.test('who was invited may also use a reset, which the invitation does not outlive', async t => {
    const invited = await inviteSomebody()
    const { token } = await mailbox.take(invited.emailCanonical, 'invitation')
    t.equal((await reset(await resetTokenOf(invited.email))).statusCode, 204)
    await signIn(api, invited.email, newPassword)
    t.equal((await accept(token, goodPassword)).json().code, 'ACTION_TOKEN_INVALID')
  })

  t.test('an administrator who has no password yet does not stand in for the last one', async t => {
    const person = await signUp(api)
    await sql`update users set roles = '{user,admin}' where id = ${person.id}`
    const admin = await signIn(api, person.email)
    const invited = await inviteSomebody({ roles: ['user', 'admin'] })
    const leave = async () => (await api.request({ method: 'DELETE', url: '/api/v1/users/me', headers: admin.authorization })).statusCode
    t.equal(await leave(), 409)
    t.equal((await accept((await mailbox.take(invited.emailCanonical, 'invitation')).token)).statusCode, 204)
    t.equal(await leave(), 204)
  })

  t.test('inviting somebody whose address or username is taken, or whose address is none, changes nothing', async t => {
    const person = await signUp(api, { username: 'resident' })
    const outbox = async () => (await sql`select count(*)::int as n from outbox`)[0]?.n
    const before = await outbox()
    await t.rejects(inviteSomebody({ email: person.email.toUpperCase() }), { code: 'USER_ALREADY_EXISTS', errors: [{ path: '/body/email' }] })
    await t.rejects(inviteSomebody({ username: 'RESIDENT' }), { code: 'USER_ALREADY_EXISTS', errors: [{ path: '/body/username' }] })
    await t.rejects(inviteSomebody({ email: 'nowhere' }), { code: 'INVALID_INPUT' })
    t.equal(await outbox(), before)
  })
})

t.test('POST /auth/password/forgot: 202 after one statement, whoever has the address', async t => {
  const api = await createMeasuredApp(t, { mail: { cooldownSeconds: 0 } })
  const [person, disabled] = [await signUp(api), await signUp(api)]
  const sql = connect(api.database)
  t.teardown(async () => { await sql.end() })
  await sql`update users set is_active = false where id = ${disabled.id}`
  const ask = async (email: string) => await api.measurePost('/auth/password/forgot', { email })
  await ask(newEmail())
  const unknown = await ask(newEmail())
  t.equal(unknown.response.statusCode, 202)
  t.equal(unknown.response.body, '{}')
  t.match(unknown.work, { hashes: 0, outboxRows: 1, auditRows: 0 })
  t.equal(unknown.work.statements.length, 1)
  for (const email of [person.email, disabled.email, person.email.toUpperCase()]) {
    const { response, work } = await ask(email)
    t.equal(`${response.statusCode} ${response.body}`, '202 {}')
    t.same(work, unknown.work)
  }
  for (const email of ['', 'nobody', 'a@b@c', `${'a'.repeat(65)}@example.com`]) t.equal((await ask(email)).response.statusCode, 422)
})

t.test('a mail of forgot goes to people alone, and not twice within the cooldown', async t => {
  const mailbox = await createMailbox(t)
  const api = await createTestApp(t, { mail: mailbox.options })
  const sql = connect(api.database)
  t.teardown(async () => { await sql.end() })
  const [person, stranger] = [await signUp(api), newEmail()]
  for (let n = 0; n < 3; n++) {
    for (const email of [stranger, person.email, person.email.toUpperCase()]) t.equal((await post(api, '/auth/password/forgot', { email })).statusCode, 202)
  }
  await mailbox.take(person.email, 'reset-password')
  await until('nothing is pending', async () => (await sql`select 1 from outbox where status = 'pending'`).length === 0)
  t.equal(await mailbox.count(person.email, 'reset-password'), 1)
  t.equal(await mailbox.count(stranger), 0)
})

t.test('a database that is lost in the middle of a reset: 503, nothing half-written, and the token is still good', async t => {
  const mailbox = await createMailbox(t)
  const direct = await createTestDatabase(t)
  const log = createStatementLog()
  const sql = connect(direct)
  t.teardown(async () => { await sql.end() })
  let fatal: RegExp | undefined
  const proxy = await createDatabaseProxy(t, direct, () => {
    const watch = log.watchConnection()
    return chunk => {
      watch(chunk)
      if (fatal === undefined || !log.take().some(statement => fatal?.test(statement))) return
      fatal = undefined
      proxy.cut().catch(() => {})
    }
  })
  const api = await createTestApp(t, { mail: { ...mailbox.options, cooldownSeconds: 0 }, breakers: { resetMs: 50 } }, proxy.location)
  const state = async (id: string) => JSON.stringify([
    await sql`select password_hash, credential_version, email_verified_at, devices_known_since from users where id = ${id}`,
    await sql`select id, revoked_at from sessions where user_id = ${id}`,
    await sql`select encode(token_hash, 'hex'), purpose from action_tokens where user_id = ${id} order by 1`,
    await sql`select id from audit_events where target_id = ${id} order by id`,
    await sql`select count(*) from outbox where user_id = ${id}`
  ])
  for (const statement of [/update "sessions"/, /update "users"/, /insert into "audit_events"/, /^commit/]) {
    const person = await signUp(api)
    const token = await resetTokenFor(api, mailbox, person.email)
    await until('nothing is pending', async () => (await sql`select 1 from outbox where status = 'pending'`).length === 0)
    const before = await state(person.id)
    log.take()
    fatal = statement
    const response = await post(api, '/auth/password/reset', { token, password: newPassword })
    t.equal(response.statusCode, 503, String(statement))
    t.equal(fatal, undefined, 'it was cut at that statement')
    await until('the server has noticed', async () => (await sql`select 1 from pg_stat_activity where application_name = 'auth-serve' and datname = current_database()`).length === 0)
    t.equal(await state(person.id), before)
    await proxy.restore()
    await until('it serves again', async () => (await readMe(api, person.accessToken)).statusCode === 200)
    t.equal((await post(api, '/auth/password/reset', { token, password: newPassword })).statusCode, 204)
  }
})

t.test('ADMIN_EMAIL: an invitation to be the first administrator', async t => {
  const adminEmail = 'Root@Example.com'
  const start = async (t: Test, mailbox: TestMailbox, database: DatabaseLocation) =>
    await createTestApp(t, { accounts: { adminEmail }, mail: mailbox.options, maintenance: { intervalMs: 20 } }, database)
  const looked = /whether there is an administrator/
  const told = /an invitation goes to ADMIN_EMAIL/

  t.test('one, though several instances start at once; again once it expired unused; none once there is one', async t => {
    const [mailbox, database] = [await createMailbox(t), await createTestDatabase(t)]
    const sql = connect(database)
    t.teardown(async () => { await sql.end() })
    const instances = await Promise.all(Array.from({ length: 4 }, async () => await start(t, mailbox, database)))
    const first = await mailbox.take('root@example.com', 'invitation')
    await until('all have looked', () => instances.every(({ log }) => looked.test(log.text())))
    t.equal(instances.filter(({ log }) => told.test(log.text())).length, 1)
    const again = await start(t, mailbox, database)
    await until('it has looked', () => looked.test(again.log.text()))
    t.same([...await sql`select email, roles, password_hash, email_verified_at from users`], [{ email: adminEmail, roles: ['user', 'admin'], password_hash: null, email_verified_at: null }])
    await sql`update action_tokens set expires_at = now()`
    const later = await start(t, mailbox, database)
    const second = await mailbox.take('root@example.com', 'invitation')
    await until('it is told', () => told.test(later.log.text()))
    t.notMatch(again.log.text(), told)
    t.equal(await mailbox.count('root@example.com'), 2)
    for (const [token, status] of [[first.token, 422], [second.token, 204]] as const) {
      t.equal((await post(later, '/auth/invitation/accept', { token, password: newPassword })).statusCode, status)
    }
    t.match((await post(later, '/auth/login', { email: adminEmail, password: newPassword })).json().user, { roles: ['user', 'admin'], emailVerified: true })
    t.match([...await sql`select type, actor_id, details from audit_events where type = 'user_created'`], [{ actor_id: null, details: { reason: 'invitation', roles: ['user', 'admin'] } }])
    await sql`delete from action_tokens`
    const last = await start(t, mailbox, database)
    await until('it has looked', () => looked.test(last.log.text()))
    t.notMatch(last.log.text(), told)
    t.equal(await mailbox.count('root@example.com', 'invitation'), 2)
  })

  t.test('an account that has the address is not touched, and that is told', async t => {
    const [mailbox, database] = [await createMailbox(t), await createTestDatabase(t)]
    const before = await createTestApp(t, {}, database)
    await post(before, '/auth/register', { email: 'root@example.com', password: goodPassword })
    const api = await start(t, mailbox, database)
    await until('it is told', () => /ADMIN_EMAIL belongs to an account that is none/.test(api.log.text()))
    t.match((await post(api, '/auth/login', { email: 'root@example.com', password: goodPassword })).json().user, { roles: ['user'] })
    t.equal(await mailbox.count('root@example.com', 'invitation'), 0)
    await t.rejects(createTestApp(t, { accounts: { adminEmail: 'nobody' } }, database), /ADMIN_EMAIL/)
  })
})

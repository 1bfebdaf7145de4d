import { randomBytes } from 'node:crypto'
import t, { type Test } from 'tap'
import { createTestApp, type TestApp, type TestAppOptions } from '../../helpers/app.ts'
import { connect } from '../../helpers/database.ts'
import { createMailbox, type TestMailbox } from '../../helpers/mailbox.ts'
import { goodPassword, newEmail, post, readMe, refresh, signIn, signUp } from '../../helpers/people.ts'
import { until } from '../../helpers/until.ts'

const otherPassword = 'patterns as the loom weaves flowers'

interface MailApp extends TestApp { mailbox: TestMailbox, sql: ReturnType<typeof connect>, register (body: object): Promise<string> }

/** The service with a mailbox, and no cooldown unless the test is about it. */
async function createMailApp (t: Test, options: TestAppOptions = {}): Promise<MailApp> {
  const mailbox = await createMailbox(t)
  const api = await createTestApp(t, { ...options, mail: { ...mailbox.options, cooldownSeconds: 0, ...options.mail } })
  const sql = connect(api.database)
  t.teardown(async () => { await sql.end() })
  return {
    ...api,
    mailbox,
    sql,
    async register (body) {
      const email = newEmail()
      const response = await post(api, '/auth/register', { email, password: goodPassword, ...body })
      if (response.statusCode >= 300) throw new Error(response.body)
      return email
    }
  }
}

const verify = async (api: TestApp, token: string) => await post(api, '/auth/email/verify', { token })
const login = async (api: TestApp, email: string, password = goodPassword) => await post(api, '/auth/login', { email, password })
const resend = async (api: TestApp, email: string) => await post(api, '/auth/email/resend', { email })
/** Nothing is left to be sent. */
const untilSent = async ({ sql }: MailApp) => await until('the outbox is worked off', async () => (await sql`select 1 from outbox where status = 'pending'`).length === 0)
/** An answer without what names it. */
const bodyOf = (response: { json (): { requestId: string } }): object => {
  const { requestId, ...body } = response.json()
  return body
}

t.test('an address is confirmed by the link of its mail', async t => {
  const api = await createMailApp(t)
  const { mailbox, sql } = api

  t.test('POST /auth/email/verify: 204, and who registered stays signed in', async t => {
    const person = await signUp(api)
    const { token } = await mailbox.take(person.email, 'verify-email')
    t.equal((await verify(api, token)).statusCode, 204)
    t.equal((await readMe(api, person.accessToken)).json().emailVerified, true)
    t.equal((await refresh(api, person.refreshToken)).statusCode, 200)
    const events = await sql`select type, outcome, actor_id, details, request_id from audit_events where target_id = ${person.id} order by id desc limit 1`
    t.match([...events], [{ type: 'user_updated', outcome: 'success', actor_id: person.id, details: { changed: ['emailVerified'] }, request_id: /./ }])
  })

  t.test('POST /auth/email/verify: of 50 at once one gets 204, and 49 are too late', async t => {
    const email = await api.register({})
    const { token } = await mailbox.take(email, 'verify-email')
    const answers = await Promise.all(Array.from({ length: 50 }, async () => await verify(api, token)))
    t.equal(answers.filter(answer => answer.statusCode === 204).length, 1)
    t.equal(answers.filter(answer => answer.statusCode === 422 && answer.json().code === 'ACTION_TOKEN_INVALID').length, 49)
    const [{ n } = { n: 0 }] = await sql`select count(*)::int as n from audit_events a join users u on u.id = a.target_id where u.email = ${email} and a.type = 'user_updated'`
    t.equal(n, 1)
  })

  t.test('POST /auth/email/verify: one and the same 422 for every token that is not good', async t => {
    const tokenOf = async (change: (id: string) => Promise<unknown>) => {
      const person = await signUp(api)
      const { token } = await mailbox.take(person.email, 'verify-email')
      await change(person.id)
      return token
    }
    const tokens = {
      expired: await tokenOf(async id => await sql`update action_tokens set expires_at = now() where user_id = ${id}`),
      'of another purpose': await tokenOf(async id => await sql`update action_tokens set purpose = 'reset-password' where user_id = ${id}`),
      'of a deleted account': await tokenOf(async id => await sql`update users set deleted_at = now() where id = ${id}`),
      'of a disabled account': await tokenOf(async id => await sql`update users set is_active = false where id = ${id}`),
      'of an address that is no longer that of the account': await tokenOf(async id => await sql`update users set email = 'new@example.com', email_canonical = 'new@example.com' where id = ${id}`),
      'of an account whose address was confirmed otherwise': await tokenOf(async id => await sql`update users set email_verified_at = '2026-01-01' where id = ${id}`),
      unknown: randomBytes(32).toString('base64url'),
      empty: '',
      odd: '../\u202e%00 \'; -- \u{1f600}\n',
      'of 4 KiB': 'A'.repeat(4096)
    }
    const used = await tokenOf(async () => {})
    t.equal((await verify(api, used)).statusCode, 204)
    const expected = await verify(api, used)
    t.match(expected.json(), { status: 422, code: 'ACTION_TOKEN_INVALID' })
    for (const [what, token] of Object.entries(tokens)) t.same(bodyOf(await verify(api, token)), bodyOf(expected), what)
    const [changed] = await sql`select count(*)::int as n from users where email_canonical = 'new@example.com' and email_verified_at is not null`
    t.equal(changed?.n, 0)
    for (const body of [{}, { token: 7 }, { token: null }, { token: used, more: 1 }]) t.equal((await post(api, '/auth/email/verify', body)).json().code, 'INVALID_INPUT')
    t.notOk(api.log.text().includes(used), 'no token is logged')
  })

  t.test('POST /auth/email/verify: what was asked for before the address was proven does not survive', async t => {
    const person = await signUp(api)
    const { token } = await mailbox.take(person.email, 'verify-email')
    await sql`insert into action_tokens (token_hash, purpose, user_id, email, expires_at)
      values (${randomBytes(32)}, 'change-email', ${person.id}, 'thief@example.com', now() + interval '1 day'), (${randomBytes(32)}, 'reset-password', ${person.id}, ${person.email}, now() + interval '1 day')`
    await sql`insert into outbox (id, template, user_id, recipient, next_attempt_at)
      values (gen_random_uuid(), 'change-email', ${person.id}, 'thief@example.com', now() + interval '1 day'), (gen_random_uuid(), 'security-notice', ${person.id}, ${person.email}, now() + interval '1 day')`
    t.equal((await verify(api, token)).statusCode, 204)
    t.equal((await sql`select 1 from action_tokens where user_id = ${person.id}`).length, 0)
    t.same((await sql`select template from outbox where user_id = ${person.id} and status = 'pending'`).map(row => row.template), ['security-notice'])
    await sql`delete from outbox where user_id = ${person.id}`
  })

  t.test('POST /auth/email/resend: 202 for every address, and a mail for those that wait for one', async t => {
    const waiting = await api.register({})
    const first = await mailbox.take(waiting, 'verify-email')
    const verified = await api.register({})
    await verify(api, (await mailbox.take(verified, 'verify-email')).token)
    const unknown = newEmail()
    for (const email of [waiting.toUpperCase(), verified, unknown]) {
      const answer = await resend(api, email)
      t.equal(answer.statusCode, 202)
      t.same(answer.json(), {})
    }
    const second = await mailbox.take(waiting, 'verify-email')
    await untilSent(api)
    t.equal(await mailbox.count(unknown), 0)
    t.equal(await mailbox.count(verified), 1)
    t.equal((await verify(api, first.token)).json().code, 'ACTION_TOKEN_INVALID', 'a newer one was sent')
    t.equal((await verify(api, second.token)).statusCode, 204)
  })

  t.test('POST /auth/email/resend: 422 for what is no address', async t => {
    for (const email of ['nobody', 'a@b', 'a b@example.com', '', 7, null]) {
      const answer = await post(api, '/auth/email/resend', { email })
      t.match(answer.json(), { status: 422, code: 'INVALID_INPUT' })
      t.equal(answer.json().errors[0].path, '/body/email')
    }
  })

  t.test('POST /auth/email/resend: one mail in a cooldown', async t => {
    const patient = await createTestApp(t, { mail: { ...mailbox.options, cooldownSeconds: 60 } }, api.database)
    const email = newEmail()
    await post(patient, '/auth/register', { email, password: goodPassword })
    const { token } = await mailbox.take(email, 'verify-email')
    for (let n = 0; n < 3; n++) t.equal((await resend(patient, email)).statusCode, 202)
    await untilSent(api)
    t.equal(await mailbox.count(email), 1)
    t.equal((await verify(patient, token)).statusCode, 204)
  })
})

t.test('REQUIRE_EMAIL_VERIFICATION', async t => {
  const before = await createTestApp(t)
  const early = await signUp(before)
  const mailbox = await createMailbox(t)
  const api = await createTestApp(t, { accounts: { requireEmailVerification: true }, login: { maxFailures: 3 }, mail: { ...mailbox.options, cooldownSeconds: 0 } }, before.database)
  const sql = connect(api.database)
  t.teardown(async () => { await sql.end() })

  t.test('POST /auth/login: 403 EMAIL_NOT_VERIFIED after the right password alone, with no session', async t => {
    const email = newEmail()
    const { id } = (await post(api, '/auth/register', { email, password: goodPassword })).json()
    for (let round = 0; round < 3; round++) {
      for (let n = 0; n < 2; n++) t.equal((await login(api, email, 'not the password')).json().code, 'INVALID_CREDENTIALS')
      const right = await login(api, email)
      t.match(right.json(), { status: 403, code: 'EMAIL_NOT_VERIFIED' }, 'the right password clears the count')
    }
    t.equal((await sql`select 1 from sessions where user_id = ${id}`).length, 0)
    const [event] = await sql`select type, outcome, details from audit_events where target_id = ${id} order by id desc limit 1`
    t.match(event, { type: 'authn_login_fail', outcome: 'failure', details: { reason: 'email_not_verified' } })
    await sql`update users set is_active = false where id = ${id}`
    t.equal((await login(api, email)).json().code, 'ACCOUNT_DISABLED')
    await sql`update users set is_active = true where id = ${id}`
    await verify(api, (await mailbox.take(email, 'verify-email')).token)
    t.equal((await login(api, email)).statusCode, 200)
  })

  t.test('sessions from before go on', async t => {
    t.equal((await readMe(api, early.accessToken)).statusCode, 200)
    const renewed = await refresh(api, early.refreshToken)
    t.equal(renewed.statusCode, 200)
    t.equal((await post(api, '/auth/reauthenticate', { password: goodPassword }, { authorization: `Bearer ${renewed.json().accessToken}` })).statusCode, 200)
    t.equal((await login(api, early.email)).json().code, 'EMAIL_NOT_VERIFIED')
  })
})

t.test('REGISTRATION_PRIVACY=private', async t => {
  const api = await createMailApp(t, { accounts: { registrationPrivacy: 'private' } })
  const { mailbox, sql } = api
  /** The same service, with public registration. */
  const open = await createTestApp(t, { mail: { cooldownSeconds: 0 } }, api.database)
  const row = async (email: string) => (await sql`select * from users where email_canonical = ${email} and deleted_at is null`)[0]
  const register = async (body: object) => await post(api, '/auth/register', { password: goodPassword, ...body })
  const registerVerified = async (body: object = {}) => {
    const email = await api.register(body)
    const { token } = await mailbox.take(email, 'verify-email')
    t.equal((await verify(api, token)).statusCode, 204)
    return email
  }

  t.test('POST /auth/register: 202 {} without a Location, and the mail lets the person in', async t => {
    const email = newEmail()
    const answer = await register({ email, username: 'Countess', firstName: 'Ada', lastName: 'Lovelace' })
    t.equal(answer.statusCode, 202)
    t.equal(answer.body, '{}')
    t.equal(answer.headers.location, undefined)
    for (const body of [{ email }, { email }, { username: 'countess' }, { email }, { email }, { email }]) t.equal((await post(api, '/auth/login', { ...body, password: goodPassword })).json().code, 'INVALID_CREDENTIALS')
    t.equal((await login(api, email)).json().code, 'TOO_MANY_ATTEMPTS', 'they count like wrong passwords for a name that nobody has, until the address is proven')
    t.equal((await verify(api, (await mailbox.take(email, 'verify-email')).token)).statusCode, 204)
    const signedIn = await login(api, email)
    t.match(signedIn.json().user, { email, emailVerified: true, username: 'Countess', firstName: 'Ada', lastName: 'Lovelace', roles: ['user'] })
    t.equal((await post(api, '/auth/login', { username: 'countess', password: goodPassword })).statusCode, 200)
  })

  t.test('a confirmed address is told by mail, and nothing changes', async t => {
    const email = await registerVerified({ username: 'steady', firstName: 'Grace' })
    const before = await row(email)
    const answer = await register({ email: email.toUpperCase(), password: otherPassword, username: 'another', firstName: 'Mallory' })
    t.equal(answer.statusCode, 202)
    t.equal(answer.body, '{}')
    const { text, token } = await mailbox.take(email, 'already-registered')
    t.match(text, /has an account already/)
    t.equal(token, '')
    t.same(await row(email), before)
    t.equal(await mailbox.count(email, 'verify-email'), 1)
    const [event] = await sql`select type, outcome, actor_id, details from audit_events where target_id = ${before?.id} order by id desc limit 1`
    t.match(event, { type: 'user_created', outcome: 'failure', actor_id: null, details: { reason: 'email_taken' } })
  })

  t.test('a taken username is told by mail, and nothing is created', async t => {
    await registerVerified({ username: 'hopper' })
    const email = newEmail()
    const answer = await register({ email, username: 'HOPPER' })
    t.equal(answer.statusCode, 202)
    t.match((await mailbox.take(email, 'already-registered')).text, /username that is taken/)
    t.equal(await row(email), undefined)
    t.equal(await mailbox.count(email), 1)
  })

  t.test('whoever confirms gets what they registered, and who held the address before keeps nothing', async t => {
    const email = newEmail()
    await post(open, '/auth/register', { email, password: goodPassword, username: 'squatter', firstName: 'Mallory' })
    const squatter = await signIn(open, email)
    const squatting = await mailbox.take(email, 'verify-email')
    await register({ email, password: 'the thief waits in the mill' })
    const thief = await mailbox.take(email, 'verify-email')
    await register({ email, password: otherPassword, username: 'owner', lastName: 'Hamilton' })
    const owner = await mailbox.take(email, 'verify-email')

    t.equal((await verify(api, owner.token)).statusCode, 204)
    t.match((await login(api, email, otherPassword)).json(), { user: { id: squatter.id, emailVerified: true, username: 'owner', firstName: null, lastName: 'Hamilton' } })
    for (const password of [goodPassword, 'the thief waits in the mill']) t.equal((await login(api, email, password)).statusCode, 401)
    for (const { token } of [squatting, thief]) t.equal((await verify(api, token)).json().code, 'ACTION_TOKEN_INVALID')
    t.equal((await readMe(api, squatter.accessToken)).json().code, 'SESSION_REVOKED')
    t.equal((await refresh(api, squatter.refreshToken)).statusCode, 401)
    t.ok((await row(email))?.devices_known_since, 'no device from before is known')
    const [event] = await sql`select details from audit_events where target_id = ${squatter.id} and type = 'user_updated' order by id desc limit 1`
    t.same(event?.details, { changed: ['emailVerified', 'password', 'username', 'firstName', 'lastName'], sessionsEnded: 1 })
    t.equal((await post(api, '/auth/login', { username: 'squatter', password: goodPassword })).statusCode, 401)
  })

  t.test('claims stand side by side: each link brings its own registration into force', async t => {
    const email = await api.register({ firstName: 'First' })
    const first = await mailbox.take(email, 'verify-email')
    await register({ email, password: otherPassword, firstName: 'Second' })
    const second = await mailbox.take(email, 'verify-email')
    t.equal((await verify(api, first.token)).statusCode, 204)
    t.match((await login(api, email)).json(), { user: { firstName: 'First' } })
    t.equal((await login(api, email, otherPassword)).statusCode, 401)
    t.equal((await verify(api, second.token)).json().code, 'ACTION_TOKEN_INVALID')
  })

  t.test('a username that was taken meanwhile is left out', async t => {
    const email = await api.register({})
    await mailbox.take(email, 'verify-email')
    await register({ email, username: 'wanted', firstName: 'Late' })
    const { token } = await mailbox.take(email, 'verify-email')
    await registerVerified({ username: 'Wanted' })
    t.equal((await verify(api, token)).statusCode, 204)
    t.match((await login(api, email)).json(), { user: { username: null, firstName: 'Late' } })
  })

  t.test('a username that is being taken at this very moment is left out, too', async t => {
    const email = await api.register({ username: 'sought' })
    const { token } = await mailbox.take(email, 'verify-email')
    await sql`update users set username = null, username_canonical = null where email = ${email}`
    const rival = await registerVerified()
    const taking = await sql.reserve()
    await taking`begin`
    await taking`update users set username = 'Sought', username_canonical = 'sought' where email = ${rival}`
    const answer = verify(api, token)
    await until('the confirmation waits', async () =>
      (await sql`select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query like 'update%devices_known_since%'`).length > 0)
    await taking`commit`
    taking.release()
    t.equal((await answer).statusCode, 204)
    t.match((await login(api, email)).json(), { user: { username: null, emailVerified: true } })
  })

  t.test('of two links that are used at once one is good', async t => {
    for (let round = 0; round < 5; round++) {
      const email = await api.register({})
      const first = await mailbox.take(email, 'verify-email')
      await register({ email, password: otherPassword })
      const second = await mailbox.take(email, 'verify-email')
      const answers = await Promise.all([first, second, first, second].map(async ({ token }) => await verify(api, token)))
      t.same(answers.map(answer => answer.statusCode).sort(), [204, 422, 422, 422])
    }
  })

  t.test('a link that was asked for again confirms the one registration there was', async t => {
    const email = await api.register({ username: 'forgetful' })
    await mailbox.take(email, 'verify-email')
    t.equal((await resend(api, email)).statusCode, 202)
    t.equal((await verify(api, (await mailbox.take(email, 'verify-email')).token)).statusCode, 204)
    t.match((await login(api, email)).json(), { user: { username: 'forgetful' } })
  })

  t.test('where registrations compete it proves the address and lets in none of the passwords', async t => {
    const email = await api.register({ username: 'contested' })
    await mailbox.take(email, 'verify-email')
    await register({ email, password: otherPassword })
    const claim = await mailbox.take(email, 'verify-email')
    await resend(api, email)
    t.equal((await verify(api, (await mailbox.take(email, 'verify-email')).token)).statusCode, 204)
    for (const password of [goodPassword, otherPassword, '!']) t.equal((await login(api, email, password)).statusCode, 401)
    t.match(await row(email), { username: null, password_hash: '!' })
    t.ok((await row(email))?.email_verified_at)
    t.equal((await verify(api, claim.token)).json().code, 'ACTION_TOKEN_INVALID')
  })

  t.test('nobody claims an account that was made for somebody, or has rights', async t => {
    const [invited, admin] = [await api.register({}), await api.register({})]
    await untilSent(api)
    await sql`update users set password_hash = null where email = ${invited}`
    await sql`update users set roles = '{user,admin}' where email = ${admin}`
    for (const email of [invited, admin]) {
      const before = await row(email)
      t.equal((await register({ email, password: otherPassword })).statusCode, 202)
      t.match((await mailbox.take(email, 'already-registered')).text, /has an account already/)
      t.same(await row(email), before)
    }
  })

  t.test('30 registrations of one address at once make one account and one mail', async t => {
    const patient = await createTestApp(t, { accounts: { registrationPrivacy: 'private' }, mail: { ...mailbox.options, cooldownSeconds: 60 } }, api.database)
    const email = newEmail()
    const answers = await Promise.all(Array.from({ length: 30 }, async () => await post(patient, '/auth/register', { email, password: goodPassword })))
    t.ok(answers.every(answer => answer.statusCode === 202))
    t.equal((await sql`select 1 from users where email_canonical = ${email}`).length, 1)
    await untilSent(api)
    t.equal(await mailbox.count(email), 1)
    t.equal((await verify(patient, (await mailbox.take(email, 'verify-email')).token)).statusCode, 204)
    t.equal((await login(patient, email)).statusCode, 200)
  })

  t.test('bad input is refused first, and as in public registration', async t => {
    const taken = await registerVerified()
    for (const body of [{}, { email: taken, password: 'short' }, { email: 'nobody', password: 7, username: '-x' }, { email: taken, password: goodPassword, nickname: 'n' }]) {
      const [hidden, told] = [await post(api, '/auth/register', body), await post(open, '/auth/register', body)]
      t.equal(hidden.statusCode, 422)
      t.same(bodyOf(hidden), bodyOf(told))
    }
  })

  t.test('the document says what is answered', async t => {
    const responsesOf = async ({ app }: TestApp) => Object.keys((await app.inject('/docs/json')).json().paths['/api/v1/auth/register'].post.responses)
    const [hidden, told] = [await responsesOf(api), await responsesOf(open)]
    t.same(hidden.filter(status => ['201', '202', '409'].includes(status)), ['202'])
    t.same(told.filter(status => ['201', '202', '409'].includes(status)), ['201', '409'])
  })

  t.test('what a registration set up is in no sent mail, log line or event', async t => {
    await untilSent(api)
    t.equal((await sql`select 1 from outbox where values::text like '%argon2%' or sealed is not null`).length, 0)
    t.equal((await sql`select 1 from audit_events where details::text like '%argon2%'`).length, 0)
    for (const secret of ['argon2id$', goodPassword, otherPassword]) t.notOk(api.log.text().includes(secret))
  })
})

import t, { type Test } from 'tap'
import type postgres from 'postgres'
import { hashActionToken } from '../../../src/recovery/action-token.ts'
import { noTokens, noticeOf, problemOf, resetTokenFor } from '../../helpers/action-links.ts'
import { createTestApp, type TestApp, type TestAppOptions } from '../../helpers/app.ts'
import { connect } from '../../helpers/database.ts'
import { createMailbox, type TestMailbox } from '../../helpers/mailbox.ts'
import { bearer, goodPassword, newEmail, post, readMe, refresh, signIn, signUp, type Person } from '../../helpers/people.ts'
import { until } from '../../helpers/until.ts'
import { createMeasuredApp } from '../../helpers/work.ts'

const newPassword = 'patterns as the loom weaves flowers'

/** A busy machine is no reason to refuse one of many requests at once. */
const patient = { acquireTimeoutMs: 20_000 }

interface Setting { api: TestApp, mailbox: TestMailbox, sql: postgres.Sql }

async function createSetting (t: Test, options: TestAppOptions = {}): Promise<Setting> {
  const mailbox = await createMailbox(t)
  const api = await createTestApp(t, { ...options, database: patient, mail: { ...mailbox.options, cooldownSeconds: 0, ...options.mail } })
  const sql = connect(api.database)
  t.teardown(async () => { await sql.end() })
  return { api, mailbox, sql }
}

const ask = async (api: TestApp, person: Pick<Person, 'authorization'>, email: string, password = goodPassword) =>
  await post(api, '/users/me/email', { email, password }, person.authorization)
const confirm = async (api: TestApp, token: unknown, headers = {}) => await post(api, '/auth/email/change/confirm', { token }, headers)
const undo = async (api: TestApp, token: unknown) => await post(api, '/auth/email/change/undo', { token })

/** Changes the address of somebody who signs in for it; answers the token that takes it back. */
async function move ({ api, mailbox }: Setting, from: string, to: string, password = goodPassword): Promise<string> {
  const person = await signIn(api, from, password)
  await ask(api, person, to, password)
  const { token } = await mailbox.take(to, 'change-email')
  const response = await confirm(api, token)
  if (response.statusCode !== 204) throw new Error(response.body)
  return (await mailbox.take(from, 'undo-email-change')).token
}

/** What follows on a change that was taken back: the link that comes with it sets a password. */
async function renewPassword ({ api, mailbox }: Setting, email: string): Promise<void> {
  const { token } = await mailbox.take(email, 'reset-password')
  const response = await post(api, '/auth/password/reset', { token, password: goodPassword })
  if (response.statusCode !== 204) throw new Error(response.body)
}

t.test('a change of e-mail', async t => {
  const setting = await createSetting(t, { login: { maxFailures: 3 } })
  const { api, mailbox, sql } = setting
  const changesOf = async (id: string) => (await sql`select details from audit_events where type = 'user_updated' and target_id = ${id} order by id`).map(row => row.details)
  const emailOf = async (id: string) => (await sql`select email from users where id = ${id}`)[0]?.email

  t.test('the new address is confirmed first, the old one is told and gets the way back, every session ends', async t => {
    const person = await signUp(api)
    const elsewhere = await signIn(api, person.email)
    const [verification, reset] = [(await mailbox.take(person.email, 'verify-email')).token, await resetTokenFor(api, mailbox, person.email)]
    const typed = newEmail().replace('person', 'New.Person')
    const answer = await ask(api, person, typed)
    t.equal(`${answer.statusCode} ${answer.body}`, '202 {}')
    t.match((await noticeOf(mailbox, person.email, 'email-change-requested')).text, typed)
    const { token, link } = await mailbox.take(typed, 'change-email')
    t.match(link, /\/pages\/change-email#token=/)
    t.match((await readMe(api, person.accessToken)).json(), { email: person.email, emailVerified: false }, 'nothing has changed yet')
    t.equal((await confirm(api, token)).statusCode, 204)
    for (const { accessToken, refreshToken } of [person, elsewhere]) {
      t.equal((await readMe(api, accessToken)).json().code, 'SESSION_REVOKED')
      t.equal((await refresh(api, refreshToken)).statusCode, 401)
    }
    t.equal((await post(api, '/auth/login', { email: person.email, password: goodPassword })).statusCode, 401)
    const { user } = (await post(api, '/auth/login', { email: typed.toUpperCase(), password: goodPassword })).json()
    t.match(user, { id: person.id, email: typed, emailVerified: true })
    t.same(await changesOf(person.id), [{ changed: ['email'], sessionsEnded: 2 }])
    for (const address of [person.email, typed]) t.match((await noticeOf(mailbox, address, 'email-changed')).text, typed)
    t.match((await mailbox.take(person.email, 'undo-email-change')).link, /#token=/)
    t.equal((await confirm(api, token)).json().code, 'ACTION_TOKEN_INVALID', 'it is used')
    t.equal((await post(api, '/auth/password/reset', { token: reset, password: newPassword })).json().code, 'ACTION_TOKEN_INVALID')
    t.equal((await post(api, '/auth/email/verify', { token: verification })).json().code, 'ACTION_TOKEN_INVALID')
    t.notMatch(api.log.text(), new RegExp(token))
  })

  t.test('the session that confirms lives on, if it is the person\'s', async t => {
    const [person, stranger] = [await signUp(api), await signUp(api)]
    const elsewhere = await signIn(api, person.email)
    for (const [asking, standing] of [[person, [200, 401]], [stranger, [401, 401]]] as const) {
      const to = newEmail()
      await ask(api, asking === person ? person : await signIn(api, await emailOf(person.id)), to)
      t.equal((await confirm(api, (await mailbox.take(to, 'change-email')).token, asking.authorization)).statusCode, 204)
      t.same([(await readMe(api, person.accessToken)).statusCode, (await readMe(api, elsewhere.accessToken)).statusCode], standing)
    }
    t.equal((await readMe(api, stranger.accessToken)).statusCode, 200)
  })

  t.test('401 without a session, 403 and in the end 429 for a wrong password, 422 for an address that is wrong or the same', async t => {
    const person = await signUp(api)
    t.equal((await ask(api, { authorization: bearer('none') }, newEmail())).statusCode, 401)
    for (const email of [person.email, person.email.toUpperCase()]) {
      t.match((await ask(api, person, email)).json(), { code: 'INVALID_INPUT', errors: [{ path: '/body/email', code: 'unchanged' }] })
    }
    for (const email of ['nowhere', 'a@b', 'a\r\nBcc: x@example.com', 'a@ex\u0000ample.com']) t.match((await ask(api, person, email)).json(), { code: 'INVALID_INPUT', errors: [{ path: '/body/email' }] })
    for (let n = 0; n < 3; n++) t.equal((await ask(api, person, newEmail(), 'not the password')).json().code, 'PASSWORD_INCORRECT')
    t.equal((await ask(api, person, newEmail())).json().code, 'TOO_MANY_ATTEMPTS')
    t.equal((await sql`select 1 from outbox where template = 'change-email' and user_id = ${person.id}`).length, 0)
  })

  t.test('whoever has the new address already is told, nobody else', async t => {
    const [person, holder] = [await signUp(api), await signUp(api)]
    const answer = await ask(api, person, holder.email)
    t.equal(`${answer.statusCode} ${answer.body}`, '202 {}')
    const { text } = await mailbox.take(holder.email, 'already-registered')
    t.match(text, /the address of another account/)
    t.notMatch(text, person.email)
    await noticeOf(mailbox, person.email, 'email-change-requested')
    t.equal(await mailbox.count(holder.email, 'change-email'), 0)
  })

  t.test('a new request, a change of password and a reset make the link void', async t => {
    const person = await signUp(api)
    const tokens: string[] = []
    for (let n = 0; n < 2; n++) {
      const to = newEmail()
      await ask(api, person, to)
      tokens.push((await mailbox.take(to, 'change-email')).token)
    }
    t.equal((await confirm(api, tokens[0])).json().code, 'ACTION_TOKEN_INVALID')
    await post(api, '/users/me/password', { currentPassword: goodPassword, newPassword }, person.authorization)
    t.equal((await confirm(api, tokens[1])).json().code, 'ACTION_TOKEN_INVALID')
    const to = newEmail()
    await ask(api, person, to, newPassword)
    const { token } = await mailbox.take(to, 'change-email')
    await post(api, '/auth/password/reset', { token: await resetTokenFor(api, mailbox, person.email), password: goodPassword })
    t.equal((await confirm(api, token)).json().code, 'ACTION_TOKEN_INVALID')
    t.equal(await emailOf(person.id), person.email)
    t.same(await changesOf(person.id), [])
  })

  t.test('409 where somebody took the address meanwhile: nothing changes, and the link is good once it is free again', async t => {
    const person = await signUp(api)
    const to = newEmail()
    await ask(api, person, to)
    const { token } = await mailbox.take(to, 'change-email')
    await post(api, '/auth/register', { email: to, password: goodPassword })
    const refused = await confirm(api, token)
    t.equal(refused.statusCode, 409)
    t.equal(refused.json().code, 'CONFLICT')
    t.equal((await readMe(api, person.accessToken)).json().email, person.email)
    t.same(await changesOf(person.id), [])
    t.equal(await mailbox.count(person.email, 'undo-email-change'), 0)
    const { authorization } = await signIn(api, to)
    await api.request({ method: 'DELETE', url: '/api/v1/users/me', headers: authorization })
    t.equal((await confirm(api, token)).statusCode, 204)
  })

  t.test('a confirmation and a registration of the same address at once: one has it', async t => {
    for (let n = 0; n < 6; n++) {
      const person = await signUp(api)
      const to = newEmail()
      await ask(api, person, to)
      const { token } = await mailbox.take(to, 'change-email')
      const [confirmed, registered] = await Promise.all([confirm(api, token), post(api, '/auth/register', { email: to, password: goodPassword })])
      t.ok(['204 409', '409 201'].includes(`${confirmed.statusCode} ${registered.statusCode}`), `${confirmed.statusCode} ${registered.statusCode}`)
      t.equal(await emailOf(person.id), confirmed.statusCode === 204 ? to : person.email)
    }
  })

  t.test('50 confirmations, and 50 that take it back: one of each', async t => {
    const person = await signUp(api)
    const to = newEmail()
    await ask(api, person, to)
    const confirmation = (await mailbox.take(to, 'change-email')).token
    const confirmed = await Promise.all(Array.from({ length: 50 }, async () => (await confirm(api, confirmation)).statusCode))
    t.same(confirmed.sort(), [204, ...Array.from({ length: 49 }, () => 422)])
    const back = (await mailbox.take(person.email, 'undo-email-change')).token
    const undone = await Promise.all(Array.from({ length: 50 }, async () => (await undo(api, back)).statusCode))
    t.same(undone.sort(), [204, ...Array.from({ length: 49 }, () => 422)])
    t.equal((await changesOf(person.id)).length, 2)
    t.equal(await emailOf(person.id), person.email)
  })

  t.test('one and the same 422 for every token that is not good', async t => {
    const person = await signUp(api)
    const reset = await resetTokenFor(api, mailbox, person.email)
    const to = newEmail()
    await ask(api, person, to)
    const { token } = await mailbox.take(to, 'change-email')
    const first = await confirm(api, 'unknown')
    t.equal(first.statusCode, 422)
    for (const bad of [reset, `${token}=`, ...noTokens]) t.same(problemOf(await confirm(api, bad)), problemOf(first), JSON.stringify(bad).slice(0, 50))
    for (const bad of [reset, token, ...noTokens]) t.same(problemOf(await undo(api, bad)), problemOf(first), JSON.stringify(bad).slice(0, 50))
    await sql`update users set is_active = false where id = ${person.id}`
    t.same(problemOf(await confirm(api, token)), problemOf(first))
    await sql`update users set is_active = true where id = ${person.id}`
    await sql`update action_tokens set expires_at = now() where user_id = ${person.id}`
    t.same(problemOf(await confirm(api, token)), problemOf(first))
    t.equal(await emailOf(person.id), person.email)
  })
})

t.test('taking a change of e-mail back', async t => {
  const setting = await createSetting(t)
  const { api, mailbox, sql } = setting
  const userOf = async (id: string) => (await sql`select * from users where id = ${id}`)[0]

  t.test('the old address is back and proven, every session ends, a link that sets a password comes with it', async t => {
    const person = await signUp(api, { username: 'taken-over' })
    const thief = newEmail()
    const token = await move(setting, person.email, thief)
    const session = await signIn(api, thief)
    const pending = newEmail()
    await ask(api, session, pending)
    const further = (await mailbox.take(pending, 'change-email')).token
    const stolen = await resetTokenFor(api, mailbox, thief)
    t.equal((await undo(api, token)).statusCode, 204)
    t.equal((await readMe(api, session.accessToken)).json().code, 'SESSION_REVOKED')
    t.equal((await post(api, '/auth/login', { email: thief, password: goodPassword })).statusCode, 401)
    const user = await userOf(person.id)
    t.match(user, { email: person.email, email_canonical: person.email })
    t.ok(user?.email_verified_at !== null && user?.devices_known_since !== null)
    for (const url of ['/auth/email/change/confirm', '/auth/email/change/undo']) t.equal((await post(api, url, { token: further })).statusCode, 422)
    t.equal((await post(api, '/auth/password/reset', { token: stolen, password: newPassword })).statusCode, 422)
    t.equal((await undo(api, token)).json().code, 'ACTION_TOKEN_INVALID')
    for (const address of [person.email, thief]) await noticeOf(mailbox, address, 'email-change-undone')
    const { token: reset } = await mailbox.take(person.email, 'reset-password')
    t.equal((await post(api, '/auth/password/reset', { token: reset, password: newPassword })).statusCode, 204)
    await signIn(api, person.email, newPassword)
    const events = await sql`select details from audit_events where type = 'user_updated' and target_id = ${person.id} order by id`
    t.match([...events], [{ details: { changed: ['email'] } }, { details: { changed: ['email'], reason: 'undo', sessionsEnded: 1 } }])
  })

  t.test('whoever has the new mailbox and sets a new password by it does not keep the account', async t => {
    const person = await signUp(api)
    const thief = newEmail()
    const token = await move(setting, person.email, thief)
    t.equal((await post(api, '/auth/password/reset', { token: await resetTokenFor(api, mailbox, thief), password: newPassword })).statusCode, 204)
    const session = await signIn(api, thief, newPassword)
    await post(api, '/users/me/password', { currentPassword: newPassword, newPassword: `${newPassword} again` }, session.authorization)
    t.equal((await undo(api, token)).statusCode, 204)
    t.equal((await userOf(person.id))?.email, person.email)
  })

  t.test('of several changes the way back to the first address wins', async t => {
    const person = await signUp(api)
    const [second, third] = [newEmail(), newEmail()]
    const toFirst = await move(setting, person.email, second)
    const toSecond = await move(setting, second, third)
    t.equal((await undo(api, toSecond)).statusCode, 204)
    t.equal((await userOf(person.id))?.email, second)
    t.equal((await undo(api, toFirst)).statusCode, 204, 'it outlived the one of a later change')
    t.equal((await userOf(person.id))?.email, person.email)

    await renewPassword(setting, person.email)
    const [again, further] = [await move(setting, person.email, second), await move(setting, second, third)]
    t.equal((await undo(api, again)).statusCode, 204)
    t.equal((await undo(api, further)).json().code, 'ACTION_TOKEN_INVALID', 'it is void with the first one')
    t.equal((await userOf(person.id))?.email, person.email)
  })

  t.test('whoever registers with the old address does not bar the way back, unless the address is proven theirs', async t => {
    const person = await signUp(api)
    const token = await move(setting, person.email, newEmail())
    const squatter = (await post(api, '/auth/register', { email: person.email, password: goodPassword })).json()
    const session = await signIn(api, person.email)
    await sql`update users set email_verified_at = now() where id = ${squatter.id}`
    t.equal((await undo(api, token)).json().code, 'CONFLICT')
    t.equal((await readMe(api, session.accessToken)).statusCode, 200)
    await sql`update users set email_verified_at = null where id = ${squatter.id}`
    t.equal((await undo(api, token)).statusCode, 204)
    t.equal((await userOf(person.id))?.email, person.email)
    t.ok((await userOf(squatter.id))?.deleted_at)
    t.equal((await readMe(api, session.accessToken)).json().code, 'SESSION_REVOKED')
    t.match([...await sql`select actor_id, details from audit_events where type = 'user_deleted' and target_id = ${squatter.id}`], [{ actor_id: person.id, details: { reason: 'address_not_proven' } }])
  })
})

t.test('the way back is sent also within the cooldown, and not once an earlier one was used', async t => {
  const setting = await createSetting(t, { mail: { cooldownSeconds: 60 } })
  const { api, mailbox, sql } = setting
  const person = await signUp(api)
  const [second, third] = [newEmail(), newEmail()]
  t.equal((await undo(api, await move(setting, person.email, second))).statusCode, 204)
  await renewPassword(setting, person.email)
  const token = await move(setting, person.email, newEmail())
  const offline = await createTestApp(t, {}, api.database)
  const { email } = (await sql`select email from users where id = ${person.id}`)[0] ?? {}
  await ask(api, await signIn(api, email), third)
  const confirmation = (await mailbox.take(third, 'change-email')).token
  await until('nothing is pending', async () => (await sql`select 1 from outbox where status = 'pending'`).length === 0)
  await api.app.close()
  t.equal((await confirm(offline, confirmation)).statusCode, 204)
  const owed = async () => (await sql`select template, recipient from outbox where status = 'pending' and user_id = ${person.id} order by id`).map(row => `${row.template} ${row.recipient}`)
  t.ok((await owed()).includes(`undo-email-change ${email}`))
  // What whoever has the new mailbox may do before the way back is sent.
  await sql`insert into action_tokens (token_hash, purpose, user_id, email, expires_at) values (${hashActionToken('of the mailbox')}, 'reset-password', ${person.id}, ${third}, now() + interval '1 hour')`
  t.equal((await post(offline, '/auth/password/reset', { token: 'of the mailbox', password: newPassword })).statusCode, 204)
  const session = await signIn(offline, third, newPassword)
  t.equal((await ask(offline, session, newEmail(), newPassword)).statusCode, 202)
  t.equal((await post(offline, '/users/me/password', { currentPassword: newPassword, newPassword: `${newPassword} again` }, session.authorization)).statusCode, 204)
  t.notOk((await owed()).some(order => order.startsWith('change-email')), 'a change of password withdraws it')
  t.ok((await owed()).includes(`undo-email-change ${email}`))
  t.equal((await undo(offline, token)).statusCode, 204)
  t.notOk((await owed()).some(order => order.startsWith('undo-email-change')), 'it is not owed any more')
  t.ok((await owed()).includes(`reset-password ${person.email}`))
})

t.test('a link whose mail waited while the password was changed is sent no more', async t => {
  const offline = await createTestApp(t)
  const sql = connect(offline.database)
  t.teardown(async () => { await sql.end() })
  const person = await signUp(offline)
  await ask(offline, person, newEmail())
  const owed = async () => (await sql`select 1 from outbox where template = 'change-email' and user_id = ${person.id}`).length
  t.equal(await owed(), 1)
  t.equal((await post(offline, '/users/me/password', { currentPassword: goodPassword, newPassword }, person.authorization)).statusCode, 204)
  t.equal(await owed(), 0)
})

t.test('POST /users/me/email costs the same for a free and a taken address', async t => {
  const api = await createMeasuredApp(t, { mail: { cooldownSeconds: 0 } })
  const [person, holder] = [await signUp(api), await signUp(api)]
  const costOf = async (email: string) => {
    const { response, work } = await api.measure({ method: 'POST', url: '/api/v1/users/me/email', payload: { email, password: goodPassword }, headers: person.authorization })
    return { answer: `${response.statusCode} ${response.body}`, work }
  }
  await costOf(newEmail())
  const free = await costOf(newEmail())
  t.equal(free.answer, '202 {}')
  t.match(free.work, { hashes: 1, outboxRows: 2, auditRows: 0 })
  t.same(await costOf(holder.email), free)
})

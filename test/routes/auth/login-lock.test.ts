import t from 'tap'
import { createSecrets } from '../../../src/keys/secrets.ts'
import { createActionToken, hashActionToken } from '../../../src/recovery/action-token.ts'
import { formatDeviceToken, parseDeviceToken } from '../../../src/sessions/device-token.ts'
import { createTestApp, testSecret, type TestApp } from '../../helpers/app.ts'
import { connect } from '../../helpers/database.ts'
import { openStores, signUpAdmin } from '../../helpers/keys.ts'
import { goodPassword, newEmail, post, readMe, signIn, signUp, type Person } from '../../helpers/people.ts'

const wrong = 'not the password'
const day = 86_400_000
const newerSecret = 'a-newer-secret-of-the-test-suite-that-is-long-enough'

// A hundred at once wait for five connections: on a busy machine longer than people would.
const patient = { acquireTimeoutMs: 30_000 }
const api = await createTestApp(t, { trustProxy: true, mail: { cooldownSeconds: 0 }, database: patient })
const sql = connect(api.database)
t.teardown(async () => { await sql.end() })

let clients = 0
/** An address that no other test uses. */
const newAddress = (): string => `203.0.${++clients >> 8}.${clients & 255}`

async function login (body: object, { at = api, from = newAddress() }: { at?: TestApp, from?: string } = {}) {
  return await post(at, '/auth/login', { password: wrong, ...body }, { 'x-forwarded-for': from })
}
const codeOf = async (...attempt: Parameters<typeof login>): Promise<string> => {
  const response = await login(...attempt)
  return response.statusCode === 200 ? 'OK' : response.json().code
}
async function fail (times: number, body: object, where?: Parameters<typeof login>[1]): Promise<void> {
  for (let n = 0; n < times; n++) t.equal(await codeOf(body, where), 'INVALID_CREDENTIALS')
}
const endLocks = async (): Promise<void> => { await sql`update login_attempts set locked_until = now() where locked_until > now()` }
const noticesTo = async (recipient: string | null) =>
  (await sql`select values->>'notice' as notice from outbox where template = 'security-notice' and recipient is not distinct from ${recipient} order by id`).map(row => row.notice)
const reauthenticate = async ({ authorization }: Person, password = goodPassword) => await post(api, '/auth/reauthenticate', { password }, authorization)

t.test('a stranger locks out everybody but the devices on which the owner signed in before', async t => {
  const person = await signUp(api)
  const right = { email: person.email, password: goodPassword }
  await fail(5, { email: person.email })
  t.equal(await codeOf(right), 'TOO_MANY_ATTEMPTS')
  const known = await login({ ...right, deviceToken: person.deviceToken })
  t.equal(known.statusCode, 200)
  t.equal(await codeOf(right), 'OK', 'its success opened the account')
  const [before, after] = [person.deviceToken, known.json().deviceToken].map(token => parseDeviceToken(createSecrets([testSecret]), person.id, token))
  t.equal(after?.deviceId, before?.deviceId, 'it is the same device')
  t.ok((after?.issuedAt ?? 0) > (before?.issuedAt ?? 0))
  t.equal(after?.expiresAt, (after?.issuedAt ?? 0) + 180 * day)
  const unknown = parseDeviceToken(createSecrets([testSecret]), person.id, (await login(right)).json().deviceToken)
  t.not(unknown?.deviceId, before?.deviceId)
})

t.test('a known device has a count of its own with the same limits, so whoever stole its token gets no more than that', async t => {
  const person = await signUp(api, { username: 'has-a-device' })
  const device = { deviceToken: person.deviceToken }
  await fail(3, { email: person.email, ...device })
  await fail(2, { username: 'Has-A-Device', ...device })
  const locked = await login({ email: person.email, password: goodPassword, ...device })
  t.equal(locked.json().code, 'TOO_MANY_ATTEMPTS')
  t.ok(Number(locked.headers['retry-after']) > 50)
  const other = await signIn(api, person.email)
  t.equal(await codeOf({ email: person.email, password: goodPassword, deviceToken: other.deviceToken }), 'OK', 'nor is it the count of another device')
  t.equal(await codeOf({ email: person.email, password: goodPassword, ...device }), 'TOO_MANY_ATTEMPTS')
  const events = await sql`select details->>'counter' as counter, (details->>'failures')::int as failures from audit_events where type = 'authn_login_lock' and target_id = ${person.id}`
  t.same([...events], [{ counter: 'device', failures: 5 }])
})

t.test('100 parallel guesses with a device token are judged five times', async t => {
  const person = await signUp(api)
  const codes = await Promise.all(Array.from({ length: 100 }, async () => await codeOf({ email: person.email, deviceToken: person.deviceToken })))
  t.equal(codes.filter(code => code === 'INVALID_CREDENTIALS').length, 5)
  t.ok(codes.every(code => ['INVALID_CREDENTIALS', 'TOO_MANY_ATTEMPTS', 'OVERLOADED'].includes(code)))
})

t.test('a token that is malformed, foreign or expired is that of no known device, and no error', async t => {
  const [person, other] = [await signUp(api), await signUp(api)]
  const secrets = createSecrets([testSecret])
  const token = { deviceId: 'AAAAAAAAAAAAAAAAAAAAAA', issuedAt: Date.now() - day, expiresAt: Date.now() + day }
  t.equal(await codeOf({ email: person.email, password: goodPassword, deviceToken: formatDeviceToken(secrets, person.id, token) }), 'OK')
  await fail(5, { email: person.email })
  for (const [what, deviceToken] of Object.entries({
    nothing: '',
    'another text': 'x'.repeat(10_000),
    'a refresh token': person.refreshToken,
    'an access token': person.accessToken,
    'one of somebody else': other.deviceToken,
    'one that expired': formatDeviceToken(secrets, person.id, { ...token, expiresAt: Date.now() - 1000 }),
    'one that others signed': formatDeviceToken(createSecrets([newerSecret]), person.id, token)
  })) {
    t.equal(await codeOf({ email: person.email, password: goodPassword, deviceToken }), 'TOO_MANY_ATTEMPTS', what)
  }
  t.equal(await codeOf({ email: newEmail(), deviceToken: person.deviceToken }), 'INVALID_CREDENTIALS', 'nor does it tell of an unknown person')
})

t.test('devices from before the account was recovered are known no more, to the millisecond', async t => {
  const person = await signUp(api)
  const device = { email: person.email, password: goodPassword, deviceToken: person.deviceToken }
  await fail(5, { email: person.email })
  const forget = async (milliseconds: number) => await sql`update users set devices_known_since =
    (select auth_time from sessions where id = ${person.sessionId}) + ${milliseconds} * interval '1 ms' where id = ${person.id}`
  await forget(1)
  t.equal(await codeOf(device), 'TOO_MANY_ATTEMPTS')
  await forget(0)
  const renewed = await login(device)
  t.equal(renewed.statusCode, 200)
  await sql`update users set devices_known_since = now() where id = ${person.id}`
  const after = await login({ ...device, deviceToken: renewed.json().deviceToken })
  const [old, fresh] = [person.deviceToken, after.json().deviceToken].map(token => parseDeviceToken(createSecrets([testSecret]), person.id, token))
  t.not(fresh?.deviceId, old?.deviceId, 'it is a new device')
  await fail(5, { email: person.email })
  t.equal(await codeOf({ ...device, deviceToken: after.json().deviceToken }), 'OK', 'which is known')
})

t.test('a change of AUTH_SECRET forgets neither devices nor failures', async t => {
  const both = await createTestApp(t, { secrets: [newerSecret, testSecret], trustProxy: true }, api.database)
  const newer = await createTestApp(t, { secrets: [newerSecret], trustProxy: true }, api.database)
  const person = await signUp(api)
  const right = { email: person.email, password: goodPassword }
  await fail(4, { email: person.email })
  await fail(1, { email: person.email }, { at: both })
  for (const at of [both, newer]) t.equal(await codeOf(right, { at }), 'TOO_MANY_ATTEMPTS', 'four under the one and one under the other are five')
  const known = await login({ ...right, deviceToken: person.deviceToken }, { at: both })
  t.equal(known.statusCode, 200)
  t.equal(await codeOf(right, { at: newer }), 'OK', 'opened under both')
  t.equal(await codeOf(right), 'OK', 'opened under both')
  await fail(5, { email: person.email })
  t.equal(await codeOf(right, { at: both }), 'TOO_MANY_ATTEMPTS', 'a lock from before')
  t.equal(await codeOf({ ...right, deviceToken: known.json().deviceToken }, { at: newer }), 'OK', 'the token was signed anew')
  t.equal(await codeOf({ ...right, deviceToken: known.json().deviceToken }), 'TOO_MANY_ATTEMPTS', 'one secret does not know what another signed')
})

t.test('after 100 failures in a row', async t => {
  const person = await signUp(api)
  const unknown = newEmail()
  const right = { email: person.email, password: goodPassword }
  await sql`delete from login_attempts`
  for (const email of [person.email, unknown]) await fail(1, { email })
  await sql`update login_attempts set failures = 98 where failures = 1 and expires_at > now() + interval '29 days'`

  await t.test('there is no further one, and no time opens the login', async t => {
    for (const email of [person.email, unknown]) {
      await fail(1, { email })
      t.equal(await codeOf({ email }), 'TOO_MANY_ATTEMPTS')
    }
    await endLocks()
    const codes = await Promise.all(Array.from({ length: 20 }, async () => await codeOf({ email: person.email })))
    t.equal(codes.filter(code => code === 'INVALID_CREDENTIALS').length, 1, 'the hundredth')
    await fail(1, { email: unknown })
    await sql`update login_attempts set locked_until = now() - interval '10 years' where failures = 100`
    for (const email of [person.email, unknown]) {
      const locked = await login({ email, password: goodPassword })
      t.match([locked.json().code, locked.headers['retry-after']], ['TOO_MANY_ATTEMPTS', '900'])
    }
    t.same([...await sql`select failures, expires_at::text as expires, pending from login_attempts where failures > 5`],
      Array.from({ length: 2 }, () => ({ failures: 100, expires: 'infinity', pending: false })), 'known and unknown are alike')
    t.same(await noticesTo(unknown), ['account-locked'])
    t.same(await noticesTo(person.email), ['account-locked'], 'of the lock that stays')
  })

  await t.test('a known device opens it', async t => {
    t.equal(await codeOf({ ...right, deviceToken: person.deviceToken }), 'OK')
    t.equal(await codeOf(right), 'OK')
  })

  await t.test('an attempt that was not judged counts for nothing, not even the hundredth', async t => {
    await fail(1, { email: person.email })
    await sql`update login_attempts set failures = 99, locked_until = null where failures = 1 and expires_at > now() + interval '29 days'`
    await sql`alter table sessions rename to elsewhere`
    t.equal((await login(right)).statusCode, 503)
    await sql`alter table elsewhere rename to sessions`
    t.equal(await codeOf(right), 'OK')
  })

  await t.test('so does an administrator, for the devices and sessions of the person too', async t => {
    const admin = await signUpAdmin(api)
    await fail(5, { email: person.email })
    await fail(5, { email: person.email, deviceToken: person.deviceToken })
    for (let n = 0; n < 5; n++) t.equal((await reauthenticate(person, wrong)).json().code, 'PASSWORD_INCORRECT')
    t.equal((await reauthenticate(person)).json().code, 'TOO_MANY_ATTEMPTS')
    await sql`update login_attempts set failures = 100, expires_at = 'infinity' where failures >= 5`
    const unlock = async (id: string, by?: Person) => await post(api, `/admin/users/${id}/unlock`, '', by?.authorization)
    t.equal((await unlock(person.id)).json().code, 'TOKEN_MISSING')
    t.equal((await unlock(person.id, person)).json().code, 'FORBIDDEN')
    t.match((await unlock('not-an-id', admin)).json(), { status: 422, errors: [{ path: '/params/id' }] })
    t.equal((await unlock('01920000-0000-7000-8000-000000000009', admin)).json().code, 'USER_NOT_FOUND')
    t.equal(await codeOf(right), 'TOO_MANY_ATTEMPTS', 'nobody opened it so far')
    for (let n = 0; n < 2; n++) t.equal((await unlock(person.id.toUpperCase(), admin)).statusCode, 204)
    for (const attempt of [right, { ...right, deviceToken: person.deviceToken }]) t.equal(await codeOf(attempt), 'OK')
    t.equal((await reauthenticate(person)).statusCode, 200)
    const events = await sql`select actor_id, session_id, outcome, details from audit_events where type = 'authz_admin' and target_id = ${person.id}`
    t.same([...events], Array.from({ length: 2 }, () => ({ actor_id: admin.id, session_id: admin.sessionId, outcome: 'success', details: { action: 'user_unlocked' } })))
  })
})

t.test('a link that sets a new password opens what no time does, and makes devices unknown', async t => {
  const person = await signUp(api)
  await sql`delete from login_attempts`
  await fail(5, { email: person.email })
  await fail(5, { email: person.email, deviceToken: person.deviceToken })
  await sql`update login_attempts set failures = 100, expires_at = 'infinity' where failures = 5`
  const [token, password] = [createActionToken(), 'patterns as the loom weaves flowers']
  await openStores(t, api.database).actionTokens.issue(
    { tokenHash: hashActionToken(token), purpose: 'reset-password', userId: person.id, email: person.email, ttlSeconds: 60 }, { supersedes: true })
  t.equal((await post(api, '/auth/password/reset', { token, password })).statusCode, 204)
  t.equal((await sql`select 1 from login_attempts where failures = 100`).length, 0)
  const again = await login({ email: person.email, password, deviceToken: person.deviceToken })
  t.equal(again.statusCode, 200)
  t.ok((await noticesTo(person.email)).includes('new-device'))
  await fail(5, { email: person.email })
  t.equal(await codeOf({ email: person.email, password, deviceToken: person.deviceToken }), 'TOO_MANY_ATTEMPTS', 'the one from before is known no more')
  t.equal(await codeOf({ email: person.email, password, deviceToken: again.json().deviceToken }), 'OK')
})

t.test('a deleted account leaves no counter behind', async t => {
  const person = await signUp(api)
  await sql`delete from login_attempts`
  await fail(1, { email: person.email })
  t.equal((await api.request({ method: 'DELETE', url: '/api/v1/users/me', headers: person.authorization })).statusCode, 204)
  t.same(await sql`select 1 from login_attempts where expires_at > now() + interval '1 day'`, [])
})

t.test('below 100 a count starts again when nobody failed for LOGIN_FORGET_DAYS, for known and unknown alike', async t => {
  const [person, unknown] = [await signUp(api), newEmail()]
  await sql`delete from login_attempts`
  for (const email of [person.email, unknown]) await fail(4, { email })
  const rows = await sql`select failures, round(extract(epoch from expires_at - now()) / 86400)::int as days from login_attempts where failures = 4`
  t.same([...rows], [{ failures: 4, days: 30 }, { failures: 4, days: 30 }])
  await sql`update login_attempts set expires_at = now()`
  for (const email of [person.email, unknown]) {
    await fail(5, { email })
    t.equal(await codeOf({ email }), 'TOO_MANY_ATTEMPTS')
  }
})

t.test('failures of a client address', async t => {
  const limited = await createTestApp(t, { login: { addressMaxFailures: 3, addressWindowSeconds: 600 }, trustProxy: true, mail: { cooldownSeconds: 0 }, database: patient }, api.database)
  const person = await signUp(api)
  const right = { email: person.email, password: goodPassword }
  const failFrom = async (from: string, times = 3) => { for (let n = 0; n < times; n++) await fail(1, { email: newEmail() }, { at: limited, from }) }
  const from = (address: string) => ({ at: limited, from: address })

  await t.test('lock it for the rest of the window, whoever they were for and whoever comes', async t => {
    const address = newAddress()
    await failFrom(address)
    const locked = await login(right, from(address))
    t.equal(locked.json().code, 'TOO_MANY_ATTEMPTS')
    const wait = Number(locked.headers['retry-after'])
    t.ok(wait > 590 && wait <= 600, `${wait} s`)
    t.equal(await codeOf(right, from(newAddress())), 'OK')
    const [event] = await sql`select target_id, details from audit_events where type = 'authn_login_lock' and ip_address = ${address}`
    t.same(event, { target_id: null, details: { counter: 'address', failures: 3 } })
    for (let n = 0; n < 6; n++) t.equal(await codeOf({ email: person.email }, from(address)), 'TOO_MANY_ATTEMPTS')
    t.equal(await codeOf(right, from(newAddress())), 'OK', 'what is refused counts for nobody')
    t.equal(await codeOf({ ...right, deviceToken: person.deviceToken }, from(address)), 'OK', 'a known device passes')
    t.equal(await codeOf(right, from(address)), 'TOO_MANY_ATTEMPTS', 'and opens it for nobody else')
    await sql`update login_attempts set expires_at = now() where expires_at < now() + interval '1 day'`
    await failFrom(address)
    t.equal(await codeOf(right, from(address)), 'TOO_MANY_ATTEMPTS', 'a new window')
  })

  await t.test('are counted for the /64 of an IPv6 address', async t => {
    for (const end of ['1', 'ffff:1', '1:2:3:4']) await failFrom(`2001:db8:0:1::${end}`.replace('::1:2:3:4', ':1:2:3:4'), 1)
    t.equal(await codeOf(right, from('2001:DB8::1:0:0:0:9')), 'TOO_MANY_ATTEMPTS')
    t.equal(await codeOf(right, from('2001:db8:0:2::1')), 'OK')
  })

  await t.test('stay when somebody succeeds from there, and successes count for nothing', async t => {
    const [address, owned] = [newAddress(), await signUp(api)]
    for (let n = 0; n < 3; n++) {
      await failFrom(address, 1)
      t.equal(await codeOf({ email: owned.email, password: goodPassword }, from(address)), n < 2 ? 'OK' : 'TOO_MANY_ATTEMPTS')
    }
    const many = newAddress()
    const people = await Promise.all(Array.from({ length: 8 }, async () => await signUp(api)))
    const codes = await Promise.all(people.map(async ({ email }) => await codeOf({ email, password: goodPassword }, from(many))))
    t.notOk(codes.includes('TOO_MANY_ATTEMPTS'), 'even more at once than may fail')
    t.equal(await codeOf(right, from(many)), 'OK')
  })

  await t.test('are judged no oftener than that, of 100 in parallel for as many people', async t => {
    const codes = await Promise.all(Array.from({ length: 100 }, async () => await codeOf({ email: newEmail() }, from('198.51.100.7'))))
    t.equal(codes.filter(code => code === 'INVALID_CREDENTIALS').length, 3)
  })
})

t.test('whoever is signed in has a count of their own for their password', async t => {
  const person = await signUp(api)
  await fail(5, { email: person.email })
  t.equal((await reauthenticate(person)).statusCode, 200, 'nobody from outside locks them out')
  t.equal(await codeOf({ email: person.email, password: goodPassword }), 'OK', 'and the account is open again')
  const thief = await signIn(api, person.email)
  for (let n = 0; n < 5; n++) t.equal((await reauthenticate(thief, wrong)).json().code, 'PASSWORD_INCORRECT')
  const locked = await reauthenticate(thief)
  t.equal(locked.json().code, 'TOO_MANY_ATTEMPTS')
  t.ok(Number(locked.headers['retry-after']) > 50)
  const change = { currentPassword: goodPassword, newPassword: 'patterns as the loom weaves flowers' }
  t.equal((await post(api, '/users/me/password', change, thief.authorization)).json().code, 'TOO_MANY_ATTEMPTS', 'no other way around it')
  t.equal((await post(api, '/users/me/email', { email: newEmail(), password: goodPassword }, thief.authorization)).json().code, 'TOO_MANY_ATTEMPTS')
  t.equal((await reauthenticate(person)).statusCode, 200)
  const events = await sql`select session_id, details->>'counter' as counter from audit_events where type = 'authn_login_lock' and actor_id = ${person.id}`
  t.same([...events], [{ session_id: thief.sessionId, counter: 'session' }])
})

t.test('notices', async t => {
  const person = await signUp(api)
  t.same(await noticesTo(person.email), [], 'not of the first sign-in')
  await login({ email: person.email, password: goodPassword, deviceToken: person.deviceToken })
  t.same(await noticesTo(person.email), [], 'nor of a known device')
  await login({ email: person.email, password: goodPassword }, { from: '203.0.113.99' })
  const [order] = await sql`select user_id, recipient, values from outbox where recipient = ${person.email} and template = 'security-notice'`
  t.same(order, { user_id: person.id, recipient: person.email, values: { notice: 'new-device', ipAddress: '203.0.113.99', userAgent: 'lightMyRequest' } })
  await fail(4, { email: person.email })
  t.equal((await noticesTo(person.email)).length, 1)
  await fail(1, { email: person.email })
  await endLocks()
  await fail(1, { email: person.email })
  t.same(await noticesTo(person.email), ['new-device', 'account-locked'], 'of the first lock in a row, not of each')
  const [unknown, before] = [newEmail(), (await noticesTo(null)).length]
  await fail(5, { email: unknown })
  await fail(5, { username: 'nobody-has-this' })
  t.same(await noticesTo(unknown), ['account-locked'], 'ordered all the same')
  t.equal((await noticesTo(null)).length, before + 1)
})

t.test('a lock, its trace and its notice come together or not at all, and no failure of the database is a free guess', async t => {
  const person = await signUp(api)
  const hashes = () => api.scope.authServePasswords.stats().total
  await fail(4, { email: person.email })
  await sql`alter table outbox rename to elsewhere`
  const failed = await login({ email: person.email })
  await sql`alter table elsewhere rename to outbox`
  t.equal(failed.statusCode, 503)
  t.equal(Number(failed.headers['retry-after']) > 0, true)
  const traces = await sql`select 1 from audit_events where type = 'authn_login_lock' and target_id = ${person.id}`
  t.equal(traces.length, 0)
  t.equal(await codeOf({ email: person.email }), 'OVERLOADED', 'held up, for the attempt has not been judged as far as anybody knows')
  await endLocks()
  await fail(1, { email: person.email })
  t.equal(await codeOf({ email: person.email }), 'TOO_MANY_ATTEMPTS', 'it counted all the same')

  await sql`alter table login_attempts rename to elsewhere`
  const before = hashes()
  for (const password of [wrong, goodPassword]) {
    const response = await login({ email: person.email, password })
    t.match([response.statusCode, response.json().code], [503, 'SERVICE_UNAVAILABLE'])
    t.ok(Number(response.headers['retry-after']) > 0)
  }
  t.equal((await reauthenticate(person)).statusCode, 503)
  t.equal(hashes(), before, 'nothing was judged that could not be counted')
  await sql`alter table elsewhere rename to login_attempts`
  t.equal((await readMe(api, person.accessToken)).statusCode, 200)
})

t.test('nothing that is counted stands in the table', async t => {
  const person = await signUp(api)
  await login({ email: person.email }, { from: '198.51.100.77' })
  await login({ email: person.email, deviceToken: person.deviceToken })
  await login({ username: 'someone-unknown' })
  await reauthenticate(person, wrong)
  const rows = await sql`select length(key) as key, length(account_key) as account, encode(key, 'escape') || coalesce(encode(account_key, 'escape'), '') as text from login_attempts`
  t.ok(rows.every(row => row.key === 32 && [null, 32].includes(row.account)))
  const canaries = [person.email, person.id, person.sessionId, '198.51.100.77', 'someone-unknown']
  t.notOk(rows.some(row => canaries.some(canary => String(row.text).includes(canary))))
})

import t, { type Test } from 'tap'
import type { UserHookCall } from '../../../src/index.ts'
import { connect } from '../../helpers/database.ts'
import { goodPassword, newEmail, post, signUp } from '../../helpers/people.ts'
import { createMeasuredApp, type MeasuredApp, type Work } from '../../helpers/work.ts'

/** What a request answers, apart from what names it, and what it cost. */
async function costOf (api: MeasuredApp, url: string, payload: object): Promise<{ status: number, body: object, location: unknown, work: Work }> {
  const { response, work } = await api.measurePost(url, payload)
  const { requestId, ...body } = response.json()
  return { status: response.statusCode, body, location: response.headers.location, work }
}

/** Sends the same kind of request about different people: neither the answers nor the work may differ. */
async function allAlike (t: Test, api: MeasuredApp, url: string, requests: Record<string, object>): Promise<Work> {
  const [[first, payload] = ['', {}], ...others] = Object.entries(requests)
  // The first request of a kind prepares its statements.
  await post(api, url, payload)
  const expected = await costOf(api, url, payload)
  for (const [name, payload] of others) t.same(await costOf(api, url, payload), expected, `${name} is like ${first}`)
  return expected.work
}

t.test('public registration', async t => {
  const api = await createMeasuredApp(t, { mail: { cooldownSeconds: 0 } })
  const sql = connect(api.database)
  t.teardown(async () => { await sql.end() })
  const [unverified, verified, deleted] = [await signUp(api, { username: 'unverified' }), await signUp(api), await signUp(api)]
  await sql`update users set email_verified_at = now() where id = ${verified.id}`
  await sql`update users set deleted_at = now() where id = ${deleted.id}`

  t.test('POST /auth/login costs the same for everybody who gets INVALID_CREDENTIALS', async t => {
    const work = await allAlike(t, api, '/auth/login', {
      'an unknown person': { email: newEmail(), password: goodPassword },
      'a wrong password': { email: verified.email, password: 'not the password' },
      'a deleted account': { email: deleted.email, password: goodPassword }
    })
    t.match(work, { hashes: 1, outboxRows: 0, auditRows: 1 })
    const names = await allAlike(t, api, '/auth/login', {
      'an unknown name': { username: 'nobody-here', password: goodPassword },
      'a wrong password': { username: 'unverified', password: 'not the password' }
    })
    t.match(names, { hashes: 1, outboxRows: 0, auditRows: 1 })
  })

  t.test('POST /auth/email/resend costs the same for every address', async t => {
    const work = await allAlike(t, api, '/auth/email/resend', {
      'an unknown address': { email: newEmail() },
      'an address to be confirmed': { email: unverified.email },
      'a confirmed address': { email: verified.email },
      'that of a deleted account': { email: deleted.email }
    })
    t.match(work, { hashes: 0, outboxRows: 1, auditRows: 0 })
    t.equal(work.statements.length, 1)
  })

  t.test('a cooldown shows neither', async t => {
    const cooling = await createMeasuredApp(t)
    const { email } = await signUp(cooling)
    await allAlike(t, cooling, '/auth/email/resend', {
      'an unknown address asked for twice': { email: newEmail() },
      'a known one right after its registration': { email }
    })
  })
})

t.test('private registration', async t => {
  const api = await createMeasuredApp(t, { mail: { cooldownSeconds: 0 }, accounts: { registrationPrivacy: 'private' } })
  const sql = connect(api.database)
  t.teardown(async () => { await sql.end() })
  const register = async (extra: object = {}) => {
    const email = newEmail()
    await post(api, '/auth/register', { email, password: goodPassword, ...extra })
    return email
  }
  const [unverified, verified, invited] = [await register(), await register({ username: 'taken' }), await register()]
  await sql`update users set email_verified_at = now() where email = ${verified}`
  await sql`update users set password_hash = null where email = ${invited}`
  // Nobody is counted as failing before: that would be another request.
  const names = { username: 'free', firstName: 'Ada', lastName: 'Lovelace' }

  t.test('POST /auth/register costs the same whatever is taken', async t => {
    const before = Number((await sql`select count(*) from users`)[0]?.count)
    const work = await allAlike(t, api, '/auth/register', {
      'one that makes a claim': { email: await register(), password: goodPassword, ...names },
      'a new address': { email: newEmail(), password: goodPassword, ...names, username: 'free-too' },
      'a confirmed address': { email: verified, password: goodPassword, ...names },
      'an address to be confirmed': { email: unverified, password: goodPassword, ...names },
      'an address that was invited': { email: invited, password: goodPassword, ...names },
      'a taken name': { email: newEmail(), password: goodPassword, ...names, username: 'TAKEN' },
      'a confirmed address and its name': { email: verified, password: goodPassword, ...names, username: 'taken' },
      'an address to be confirmed and a taken name': { email: unverified, password: goodPassword, ...names, username: 'taken' },
      'no names': { email: newEmail(), password: goodPassword }
    })
    t.match(work, { hashes: 1, outboxRows: 1, auditRows: 1 })
    t.equal(Number((await sql`select count(*) from users`)[0]?.count), before + 3, 'the one registered here and the two that are new')
  })

  t.test('POST /auth/login costs the same for everybody whose address is not confirmed', async t => {
    const work = await allAlike(t, api, '/auth/login', {
      'an unknown person': { email: newEmail(), password: goodPassword },
      'the right password of an account to be confirmed': { email: await register(), password: goodPassword },
      'a wrong one': { email: verified, password: 'not the password' },
      'an account that two want': { email: unverified, password: goodPassword }
    })
    t.match(work, { hashes: 1, outboxRows: 0, auditRows: 1 })
  })

  t.test('POST /auth/email/resend costs the same for every address', async t => {
    await allAlike(t, api, '/auth/email/resend', { unknown: { email: newEmail() }, unverified: { email: unverified }, verified: { email: verified } })
  })

  t.test('a registration starts no count of failed logins again', async t => {
    for (const { login, registers } of [
      { login: { email: verified }, registers: { email: verified } },
      { login: { email: 'free-until-now@example.com' }, registers: { email: 'free-until-now@example.com' } },
      { login: { username: 'taken' }, registers: { username: 'taken' } },
      { login: { username: 'free-until-now' }, registers: { username: 'free-until-now' } }
    ]) {
      const fail = async () => (await post(api, '/auth/login', { ...login, password: 'not the password' })).statusCode
      let status = 0
      for (let n = 0; n < 20 && status !== 429; n++) status = await fail()
      t.equal(status, 429)
      await register(registers)
      t.equal(await fail(), 429, `${JSON.stringify(login)} is locked as before`)
    }
  })
})

t.test('private registration costs the same where the host has hooks, which are called for new accounts only', async t => {
  const told: string[] = []
  const hooks = { beforeUserCreated () {}, onUserCreated: ({ user }: UserHookCall) => told.push(user.email), onEvent () {} }
  const api = await createMeasuredApp(t, { mail: { cooldownSeconds: 0 }, accounts: { registrationPrivacy: 'private' }, hooks })
  const [taken, free] = [newEmail(), newEmail()]
  await post(api, '/auth/register', { email: taken, password: goodPassword, username: 'taken' })
  await allAlike(t, api, '/auth/register', {
    'an address that is taken': { email: taken, password: goodPassword, username: 'free' },
    'a new one': { email: free, password: goodPassword, username: 'free-too' }
  })
  t.same(told, [taken, free])
})

t.test('the failure that locks costs the same for everybody, and tells the same', async t => {
  const api = await createMeasuredApp(t, { mail: { cooldownSeconds: 0 }, login: { maxFailures: 1 } })
  const [first, second] = [await signUp(api), await signUp(api, { username: 'locked-out' })]
  const password = 'not the password'
  // The first failure of all prepares the statements.
  await post(api, '/auth/login', { email: newEmail(), password })
  const expected = await costOf(api, '/auth/login', { email: newEmail(), password })
  t.match(expected, { status: 401, work: { hashes: 1, outboxRows: 1, auditRows: 2 } })
  t.same(await costOf(api, '/auth/login', { email: first.email, password }), expected, 'a known address')
  // By name the account is found by another statement.
  const byName = await costOf(api, '/auth/login', { username: 'nobody-here-either', password })
  t.same({ ...byName, work: { ...byName.work, statements: byName.work.statements.slice(1) } }, { ...expected, work: { ...expected.work, statements: expected.work.statements.slice(1) } })
  t.same(await costOf(api, '/auth/login', { username: 'locked-out', password }), byName, 'a known name')
  const [locked, unknown] = [await costOf(api, '/auth/login', { email: first.email, password }), await costOf(api, '/auth/login', { username: 'nobody-here-either', password })]
  t.match(locked, { status: 429, work: { hashes: 0, outboxRows: 0, auditRows: 0 } })
  t.same(unknown.body, locked.body)
  t.equal(unknown.work.statements.length, locked.work.statements.length)
  t.ok((await post(api, '/auth/login', { email: second.email, password })).statusCode === 429, 'e-mail and username share the count')
})

t.test('a login takes seven statements, and one more where a new device is to be told', async t => {
  const api = await createMeasuredApp(t, { mail: { cooldownSeconds: 0 } })
  const person = await signUp(api)
  const right = { email: person.email, password: goodPassword }
  const countOf = async (payload: object) => {
    const { response, work } = await api.measurePost('/auth/login', payload)
    t.equal(response.statusCode, 200)
    return work.statements.length
  }
  await post(api, '/auth/login', right)
  t.equal(await countOf({ ...right, deviceToken: person.deviceToken }), 7, 'account, counts, begin, session, counts, events, commit')
  t.equal(await countOf(right), 8)
})

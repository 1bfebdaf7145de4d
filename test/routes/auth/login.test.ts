import { decodeJwt, decodeProtectedHeader } from 'jose'
import t from 'tap'
import { cheapPasswords, createTestApp } from '../../helpers/app.ts'
import { connect } from '../../helpers/database.ts'
import { goodPassword, newEmail, post, signUp } from '../../helpers/people.ts'
import { until } from '../../helpers/until.ts'

t.test('POST /auth/login', async t => {
  const api = await createTestApp(t)
  const sql = connect(api.database)
  t.teardown(async () => { await sql.end() })
  const eventsOf = async (userId: string) => (await sql`select type, outcome from audit_events where target_id = ${userId} order by id`).map(row => `${row.type} ${row.outcome}`)

  t.test('200 with an access token of RFC 9068, by e-mail in any case or by username', async t => {
    const email = newEmail()
    const registered = (await post(api, '/auth/register', { email, password: goodPassword, username: 'hopper' })).json()
    for (const identifier of [{ email }, { email: email.toUpperCase() }, { username: 'HOPPER' }]) {
      const response = await post(api, '/auth/login', { ...identifier, password: goodPassword })
      t.equal(response.statusCode, 200)
      const { accessToken, tokenType, expiresIn, sessionId, user } = response.json()
      t.match({ tokenType, expiresIn, user }, { tokenType: 'Bearer', expiresIn: 900, user: { id: registered.id, email, lastLoginAt: /Z$/ } })
      t.match(decodeProtectedHeader(accessToken), { alg: 'ES256', typ: 'at+jwt', kid: /./ })
      const claims = decodeJwt(accessToken)
      t.match(claims, {
        iss: 'https://issuer.test', aud: 'auth-serve', client_id: 'auth-serve', sub: registered.id, sid: sessionId, ver: 1, roles: ['user'], amr: ['pwd'], jti: /./
      })
      t.equal(claims.exp, (claims.iat ?? 0) + 900)
      t.equal(claims.nbf, claims.iat)
      t.equal(claims.auth_time, claims.iat)
    }
    t.same((await eventsOf(registered.id)).slice(0, 3), ['user_created success', 'authn_login_success success', 'session_created success'])
    const [session] = await sql`select * from sessions where user_id = ${registered.id} limit 1`
    t.match(session, { user_agent: 'lightMyRequest', ip_address: '127.0.0.1', revoked_at: null })
  })

  t.test('401 is one and the same for an unknown person, a wrong password and a deleted account', async t => {
    const person = await signUp(api)
    const gone = await signUp(api)
    await sql`update users set deleted_at = now() where id = ${gone.id}`
    const answers = await Promise.all([
      { email: newEmail(), password: goodPassword },
      { email: person.email, password: 'not the password' },
      { email: gone.email, password: goodPassword },
      { username: 'nobody-here', password: goodPassword }
    ].map(async body => await post(api, '/auth/login', body)))
    for (const answer of answers) {
      t.equal(answer.statusCode, 401)
      const { requestId, ...problem } = answer.json()
      t.match(requestId, /./)
      const { requestId: _, ...first } = answers[0]?.json()
      t.same(problem, first)
      t.equal(answer.headers['www-authenticate'], 'Bearer')
    }
    t.ok((await eventsOf(person.id)).includes('authn_login_fail failure'))
  })

  t.test('403 ACCOUNT_DISABLED only after the right password', async t => {
    const person = await signUp(api)
    await sql`update users set is_active = false where id = ${person.id}`
    t.equal((await post(api, '/auth/login', { email: person.email, password: 'not the password' })).json().code, 'INVALID_CREDENTIALS')
    const right = await post(api, '/auth/login', { email: person.email, password: goodPassword })
    t.equal(right.statusCode, 403)
    t.equal(right.json().code, 'ACCOUNT_DISABLED')
  })

  t.test('422 unless exactly one of e-mail and username is there', async t => {
    for (const body of [{ password: goodPassword }, { email: newEmail(), username: 'both', password: goodPassword }]) {
      const response = await post(api, '/auth/login', body)
      t.equal(response.statusCode, 422)
      t.same(response.json().errors.map((error: { path: string }) => error.path).sort(), ['/body/email', '/body/username'])
    }
    const empty = await post(api, '/auth/login', {})
    t.ok(empty.json().errors.some((error: { path: string, code: string }) => error.path === '/body/password' && error.code === 'required'))
  })
})

t.test('POST /auth/login: failures in a row', async t => {
  const api = await createTestApp(t, { login: { maxFailures: 3, lockSeconds: 60 } })
  const sql = connect(api.database)
  t.teardown(async () => { await sql.end() })
  const attempt = async (body: object) => await post(api, '/auth/login', { password: 'not the password', ...body })

  for (const kind of ['known', 'unknown']) {
    t.test(`429 with Retry-After after three of a ${kind} person, for the right password too`, async t => {
      const email = kind === 'known' ? (await signUp(api)).email : newEmail()
      for (let n = 0; n < 3; n++) t.equal((await attempt({ email })).statusCode, 401)
      const locked = await attempt({ email, password: goodPassword })
      t.equal(locked.statusCode, 429)
      t.equal(locked.json().code, 'TOO_MANY_ATTEMPTS')
      const seconds = Number(locked.headers['retry-after'])
      t.ok(seconds > 50 && seconds <= 60, `${seconds} s`)
    })
  }

  t.test('e-mail and username share one count', async t => {
    const { email } = await signUp(api, { username: 'shared-count' })
    await attempt({ email })
    await attempt({ username: 'shared-count' })
    await attempt({ username: 'Shared-Count' })
    t.equal((await attempt({ email })).statusCode, 429)
  })

  t.test('100 parallel guesses are judged three times at most', async t => {
    const { email } = await signUp(api)
    const answers = await Promise.all(Array.from({ length: 100 }, async () => await attempt({ email })))
    const statuses = answers.map(answer => answer.statusCode)
    t.equal(statuses.filter(status => status === 401).length, 3)
    t.equal(statuses.filter(status => status === 429).length, 97)
  })

  t.test('right passwords, however many at once, are never told that the login is locked', async t => {
    const { email } = await signUp(api)
    for (let round = 0; round < 5; round++) {
      const answers = await Promise.all(Array.from({ length: 12 }, async () => await attempt({ email, password: goodPassword })))
      t.notOk(answers.some(answer => answer.statusCode === 429))
    }
  })

  t.test('a success starts the count again', async t => {
    const { email } = await signUp(api)
    for (let round = 0; round < 3; round++) {
      for (let n = 0; n < 2; n++) t.equal((await attempt({ email })).statusCode, 401)
      t.equal((await attempt({ email, password: goodPassword })).statusCode, 200)
    }
  })

  t.test('the wait doubles with each failure after it, and a lock that ended lets one try through', async t => {
    const { email, id } = await signUp(api)
    const waits: number[] = []
    for (let n = 0; n < 3; n++) await attempt({ email })
    for (let round = 0; round < 6; round++) {
      waits.push(Number((await attempt({ email })).headers['retry-after']))
      await sql`update login_attempts set locked_until = now() where locked_until > now()`
      t.equal((await attempt({ email })).statusCode, 401)
    }
    t.same(waits.map(wait => Math.round(wait / 60)), [1, 2, 4, 8, 15, 15])
    const [{ n } = { n: 0 }] = await sql`select count(*)::int as n from audit_events where target_id = ${id} and type = 'authn_login_lock'`
    t.equal(n, 7)
  })

  t.test('neither the identifier nor the account stands in the table', async t => {
    const { email, id } = await signUp(api)
    await attempt({ email })
    const rows = await sql`select encode(key, 'escape') as key, length(key) as length from login_attempts`
    t.ok(rows.every(row => row.length === 32 && !String(row.key).includes(email) && !String(row.key).includes(id)))
  })
})

t.test('POST /auth/login: a login that was shed is no failure', async t => {
  const api = await createTestApp(t, { login: { maxFailures: 2 }, passwords: { memoryKib: 19456, concurrency: 1, queue: 0 } })
  const { email } = await signUp(api)
  const other = (await signUp(api)).email
  const storm = await Promise.all(Array.from({ length: 6 }, async (_, n) => await post(api, '/auth/login', { email: n === 0 ? other : email, password: goodPassword })))
  t.ok(storm.some(answer => answer.statusCode === 503 && answer.json().code === 'OVERLOADED'))
  t.equal((await post(api, '/auth/login', { email, password: goodPassword })).statusCode, 200)
})

t.test('POST /auth/login: raised parameters reach the hash at the next login', async t => {
  const api = await createTestApp(t)
  const { email, id } = await signUp(api)
  const sql = connect(api.database)
  t.teardown(async () => { await sql.end() })
  const raised = await createTestApp(t, { passwords: { ...cheapPasswords, timeCost: 2 } }, api.database)
  t.equal((await post(raised, '/auth/login', { email, password: goodPassword })).statusCode, 200)
  const [row] = await sql`select password_hash, credential_version, updated_at, created_at from users where id = ${id}`
  t.match(row, { password_hash: /t=2/, credential_version: 1 })
  t.equal((await post(raised, '/auth/login', { email, password: goodPassword })).statusCode, 200)
})

t.test('POST /auth/login: the hash of another system lets its owner in, and is of argon2id from then on', async t => {
  const api = await createTestApp(t)
  const { email, id } = await signUp(api)
  const sql = connect(api.database)
  t.teardown(async () => { await sql.end() })
  const storedHash = async () => (await sql`select password_hash from users where id = ${id}`)[0]?.password_hash
  const login = async (password: string) => (await post(api, '/auth/login', { email, password })).statusCode
  // htpasswd -nbB -C 5: a password that our policy would refuse.
  const bcrypt = '$2y$05$4Ga0zkyDJH4g2boLCkuUH.924H8VR2HmKjasVgSWE.rb2AG6Hf9sO'
  await sql`update users set password_hash = ${bcrypt} where id = ${id}`
  t.equal(await login('Hunter2'), 401)
  t.equal(await storedHash(), bcrypt, 'a wrong password changes nothing')
  t.equal(await login('hunter2'), 200)
  t.match(await storedHash(), /^\$argon2id\$v=19\$m=1024,t=1,p=1\$/)
  t.equal(await login('hunter2'), 200)
  t.equal(await login('Hunter2'), 401)
})

t.test('POST /auth/login: no session is opened for an account that changed while its password was checked', async t => {
  const api = await createTestApp(t)
  const sql = connect(api.database)
  t.teardown(async () => { await sql.end() })
  for (const change of ['credential_version = credential_version + 1', 'is_active = false', 'deleted_at = now()']) {
    const { email, id } = await signUp(api)
    const locked = await sql.reserve()
    await locked`begin`
    await locked.unsafe(`update users set ${change} where id = '${id}'`)
    const login = post(api, '/auth/login', { email, password: goodPassword })
    // The login has read the account and now waits for this row.
    await until('the login waits', async () =>
      (await sql`select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query like '%with account as%'`).length > 0)
    await locked`commit`
    locked.release()
    t.equal((await login).statusCode, 401, change)
    const [{ n } = { n: -1 }] = await sql`select count(*)::int as n from sessions where user_id = ${id}`
    t.equal(n, 1, 'only the session of the first login')
  }
})

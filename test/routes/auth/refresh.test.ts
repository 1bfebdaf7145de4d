import { createHmac } from 'node:crypto'
import { decodeJwt } from 'jose'
import fc from 'fast-check'
import t from 'tap'
import { createTestApp, testSecret } from '../../helpers/app.ts'
import { connect } from '../../helpers/database.ts'
import { goodPassword, post, readMe, refresh, signIn, signUp, type Person } from '../../helpers/people.ts'
import { until } from '../../helpers/until.ts'

const newest = async (api: Awaited<ReturnType<typeof createTestApp>>, token: string): Promise<string> => {
  const response = await refresh(api, token)
  if (response.statusCode !== 200) throw new Error(response.body)
  return response.json().refreshToken
}

t.test('POST /auth/refresh', async t => {
  const api = await createTestApp(t)
  const sql = connect(api.database)
  t.teardown(async () => { await sql.end() })
  /** As if the last rotations of a session lay this many seconds further back. */
  const age = async (person: Person, seconds: number) =>
    await sql`update sessions set rotated_at = array(select r - make_interval(secs => ${seconds}) from unnest(rotated_at) r) where id = ${person.sessionId}`

  t.test('200 with the next pair of the same session', async t => {
    const person = await signUp(api)
    const response = await refresh(api, person.refreshToken)
    t.equal(response.statusCode, 200)
    const pair = response.json()
    t.match(pair, { tokenType: 'Bearer', expiresIn: 900, refreshExpiresIn: 14 * 24 * 3600, sessionId: person.sessionId })
    t.not(pair.refreshToken, person.refreshToken)
    t.notOk('user' in pair)
    const [before, after] = [decodeJwt(person.accessToken), decodeJwt(pair.accessToken)]
    t.match(after, { sub: person.id, sid: person.sessionId, auth_time: before.auth_time })
    t.not(after.jti, before.jti)
    t.equal((await readMe(api, pair.accessToken)).statusCode, 200)
    t.equal((await refresh(api, pair.refreshToken)).statusCode, 200)
  })

  t.test('50 parallel uses of one token get one and the same successor', async t => {
    const person = await signUp(api)
    const answers = await Promise.all(Array.from({ length: 50 }, async () => await refresh(api, person.refreshToken)))
    t.same(new Set(answers.map(answer => answer.statusCode)), new Set([200]))
    t.equal(new Set(answers.map(answer => answer.json().refreshToken)).size, 1)
    const [row] = await sql`select refresh_counter from sessions where id = ${person.sessionId}`
    t.equal(row?.refresh_counter, 1)
  })

  t.test('n, n+1, n+2 inside the grace and a late replay of n: everybody ends with the newest', async t => {
    const person = await signUp(api)
    const first = await newest(api, person.refreshToken)
    const second = await newest(api, first)
    t.equal(await newest(api, person.refreshToken), second)
    t.equal(await newest(api, first), second)
    t.equal((await readMe(api, person.accessToken)).statusCode, 200)
  })

  t.test('a lost response can be asked for again inside the grace of that very token', async t => {
    const person = await signUp(api)
    const lost = await newest(api, person.refreshToken)
    await age(person, 9)
    t.equal(await newest(api, person.refreshToken), lost)
  })

  t.test('a token replaced longer ago ends the session, with an event', async t => {
    const person = await signUp(api)
    const current = await newest(api, person.refreshToken)
    await age(person, 11)
    const reused = await refresh(api, person.refreshToken)
    t.equal(reused.statusCode, 401)
    t.equal(reused.json().code, 'REFRESH_TOKEN_REUSED')
    t.equal((await refresh(api, current)).json().code, 'REFRESH_TOKEN_INVALID')
    t.equal((await readMe(api, person.accessToken)).json().code, 'SESSION_REVOKED')
    const events = await sql`select outcome, session_id from audit_events where type = 'authn_token_reuse' and target_id = ${person.id}`
    t.same([...events], [{ outcome: 'failure', session_id: person.sessionId }])
    t.equal(api.log.lines().filter(line => line.event === 'authn_token_reuse' && line.sessionId === person.sessionId).length, 1)
    t.equal((await refresh(api, (await signIn(api, person.email)).refreshToken)).statusCode, 200, 'only this session')
  })

  t.test('a token further back than the session remembers ends it, too', async t => {
    const person = await signUp(api)
    let token = person.refreshToken
    for (let n = 0; n < 10; n++) {
      token = await newest(api, token)
      await age(person, 5)
    }
    t.equal((await refresh(api, person.refreshToken)).json().code, 'REFRESH_TOKEN_REUSED')
  })

  t.test('a number from the future with a valid MAC is one whose update was lost', async t => {
    const person = await signUp(api)
    const ahead = await newest(api, await newest(api, person.refreshToken))
    await sql`update sessions set refresh_counter = 0, rotated_at = '{}' where id = ${person.sessionId}`
    const answers = await Promise.all([refresh(api, ahead), refresh(api, ahead)])
    t.same(answers.map(answer => answer.statusCode), [200, 200])
    t.equal(answers[0]?.json().refreshToken, answers[1]?.json().refreshToken)
    t.equal((await refresh(api, person.refreshToken)).json().refreshToken, answers[0]?.json().refreshToken, 'who holds a number in between has the grace')
    await age(person, 11)
    t.equal((await refresh(api, person.refreshToken)).json().code, 'REFRESH_TOKEN_REUSED')
  })

  t.test('429 for more than eight rotations inside one grace, and nobody is logged out', async t => {
    const person = await signUp(api)
    let token = person.refreshToken
    for (let n = 0; n < 8; n++) token = await newest(api, token)
    const response = await refresh(api, token)
    t.equal(response.statusCode, 429)
    t.equal(response.json().code, 'RATE_LIMITED')
    await age(person, 11)
    t.equal((await refresh(api, token)).statusCode, 200)
  })

  t.test('lives: idle and absolute, and no token outlives the session', async t => {
    const person = await signUp(api)
    await sql`update sessions set expires_at = now() + interval '100 s' where id = ${person.sessionId}`
    const pair = (await refresh(api, person.refreshToken)).json()
    t.ok(pair.expiresIn > 90 && pair.expiresIn <= 100)
    t.ok(pair.refreshExpiresIn > 90 && pair.refreshExpiresIn <= 100)
    await sql`update sessions set idle_expires_at = now() where id = ${person.sessionId}`
    t.equal((await refresh(api, pair.refreshToken)).json().code, 'REFRESH_TOKEN_INVALID')
    const other = await signUp(api)
    await sql`update sessions set expires_at = now() where id = ${other.sessionId}`
    t.equal((await refresh(api, other.refreshToken)).json().code, 'REFRESH_TOKEN_INVALID')
  })

  t.test('the disabled and the deleted cannot refresh; changed rights come with the next token', async t => {
    for (const change of ['is_active = false', 'deleted_at = now()']) {
      const person = await signUp(api)
      await sql.unsafe(`update users set ${change} where id = '${person.id}'`)
      t.equal((await refresh(api, person.refreshToken)).json().code, 'REFRESH_TOKEN_INVALID')
    }
    const person = await signUp(api)
    await sql`update users set roles = '{user,editor}', authz_version = authz_version + 1 where id = ${person.id}`
    await until('it is told', async () => (await readMe(api, person.accessToken)).json().code === 'TOKEN_STALE')
    const pair = (await refresh(api, person.refreshToken)).json()
    t.match(decodeJwt(pair.accessToken), { roles: ['user', 'editor'], ver: 2 })
    t.equal((await readMe(api, pair.accessToken)).statusCode, 200)
  })

  t.test('401 REFRESH_TOKEN_INVALID for whatever is no live token of ours', async t => {
    const person = await signUp(api)
    const other = await signUp(api)
    const parts = person.refreshToken.split('.')
    const foreign = other.refreshToken.split('.')
    const text = [...parts.slice(0, 3), '5', ...parts.slice(4, 5)].join('.')
    const secret = Buffer.alloc(32, 1).toString('base64url')
    const hostile = [
      'x', '', 'x'.repeat(5000), 'a\u0000b', person.accessToken, `${person.refreshToken}.`, ` ${person.refreshToken}`, person.refreshToken.slice(0, -1), 'asr_1.....',
      [...parts.slice(0, 5), foreign[5]].join('.'),
      [...parts.slice(0, 2), foreign[2], ...parts.slice(3)].join('.'),
      [...parts.slice(0, 4), secret, parts[5]].join('.'),
      `${text}.${parts[5]}`,
      `${text}.${createHmac('sha256', testSecret).update(text).digest('base64url')}`,
      person.refreshToken.replace('asr_1', 'asr_2')
    ]
    for (const refreshToken of hostile) {
      const response = await refresh(api, refreshToken)
      t.equal(response.statusCode, 401, JSON.stringify(refreshToken))
      t.equal(response.json().code, 'REFRESH_TOKEN_INVALID')
    }
    await fc.assert(fc.asyncProperty(fc.nat({ max: person.refreshToken.length - 1 }), fc.constantFrom(...'ABab09_-.'), async (at, character) => {
      const mutated = person.refreshToken.slice(0, at) + character + person.refreshToken.slice(at + 1)
      const { statusCode } = await refresh(api, mutated)
      return statusCode === (mutated === person.refreshToken ? 200 : 401)
    }), { numRuns: 40 })
    t.equal((await refresh(api, person.refreshToken)).statusCode, 200, 'and the session lives')
  })

  t.test('422 for what is no string', async t => {
    for (const body of [{}, { refreshToken: 7 }, { refreshToken: null }, { refreshToken: ['x'] }, { refreshToken: 'x', more: 1 }]) {
      t.equal((await post(api, '/auth/refresh', body)).statusCode, 422)
    }
  })

  t.test('the database holds nothing that a token can be made of', async t => {
    const person = await signUp(api)
    const [, , , , secret = ''] = person.refreshToken.split('.')
    const [row] = await sql`select row_to_json(s)::text as text from sessions s where id = ${person.sessionId}`
    t.notMatch(row?.text, Buffer.from(secret, 'base64url').toString('hex'))
    t.notOk(api.log.text().includes(secret))
  })
})

t.test('POST /auth/refresh: a rolling change of AUTH_SECRET', async t => {
  const [old, young] = [testSecret, 'another-secret-of-the-test-suite-long-enough']
  const before = await createTestApp(t, { secrets: [old] })
  const person = await signUp(before)
  const both = await createTestApp(t, { secrets: [young, old] }, before.database)
  const pair = (await refresh(both, person.refreshToken)).json()
  const prepared = await createTestApp(t, { secrets: [old, young] }, before.database)
  const again = (await refresh(prepared, pair.refreshToken)).json()
  t.equal((await readMe(prepared, again.accessToken)).statusCode, 200)
  const after = await createTestApp(t, { secrets: [young] }, before.database)
  t.equal((await refresh(after, pair.refreshToken)).statusCode, 200)
  t.equal((await refresh(after, person.refreshToken)).json().code, 'REFRESH_TOKEN_INVALID', 'the old secret is gone')
})

t.test('POST /auth/refresh: tokens survive a restart', async t => {
  const before = await createTestApp(t)
  const person = await signUp(before, { password: goodPassword })
  await before.app.close()
  const after = await createTestApp(t, {}, before.database)
  t.equal((await refresh(after, person.refreshToken)).statusCode, 200)
  t.equal((await readMe(after, person.accessToken)).statusCode, 200)
})

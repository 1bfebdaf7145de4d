import t from 'tap'
import { createAccessTokenVerifier, type AccessTokenVerifier } from '../../../src/keys/access-tokens.ts'
import { createTestApp, type TestApp } from '../../helpers/app.ts'
import { connect } from '../../helpers/database.ts'
import { hostileTokens, soundTokens } from '../../helpers/hostile-tokens.ts'
import { bearer, readMe, signIn, signUp } from '../../helpers/people.ts'
import { until } from '../../helpers/until.ts'
import { claimsOf, createVictim, tokenOptions } from '../../helpers/victim.ts'

/** A verifier with a clock to be set; times in seconds since the epoch. */
async function setUp (cacheSize: number) {
  const victim = await createVictim('ES256')
  const clock = { now: Math.floor(Date.now() / 1000) }
  return { victim, clock, verify: createAccessTokenVerifier([victim], { ...tokenOptions, now: () => clock.now * 1000, cacheSize }) }
}

/** What is remembered is handed out again, the very same object. */
function remembers (verify: AccessTokenVerifier, token: string): boolean {
  const claims = verify(token)
  return verify(token) === claims
}

t.test('a token is remembered, as many as there is room for, the most recently used ones', async t => {
  const { victim, verify } = await setUp(2)
  const tokens = [victim.sign(), victim.sign(), victim.sign()]
  const [first, second, third] = tokens
  if (first === undefined || second === undefined || third === undefined) return
  for (const token of tokens) t.ok(remembers(verify, token))
  const claims = verify(second)
  verify(first)
  t.equal(verify(second), claims, 'kept')
  const again = verify(third)
  t.not(verify(first), undefined)
  t.equal(verify(third), again, 'used lately')
  t.not(verify(second), claims, 'forgotten and verified anew')
  t.same(verify(second), claims)
})

t.test('no room remembers nothing', async t => {
  const { victim, verify } = await setUp(0)
  t.notOk(remembers(verify, victim.token))
  t.same(verify(victim.token), claimsOf(victim.token))
})

t.test('the whole token is the key: one with any other character is never served from memory', async t => {
  const { victim, verify } = await setUp(10)
  const { token } = victim
  verify(token)
  const accepted = [...token].flatMap((char, at) => ['A', '.', '_', '=', ' ', char.toLowerCase(), char.toUpperCase(), '\u0000']
    .filter(other => other !== char)
    .map(other => token.slice(0, at) + other + token.slice(at + 1))
    .concat(token.slice(0, at), token.slice(0, at) + token.slice(at + 1), token.slice(0, at) + char + token.slice(at))
    .filter(changed => {
      try {
        return changed !== token && verify(changed) !== undefined
      } catch {
        return false
      }
    }))
  t.same(accepted, [])
  t.ok(remembers(verify, token))
})

t.test('tokens that were refused take no room, and those that were remembered keep theirs', async t => {
  const { victim, clock, verify } = await setUp(1)
  const claims = verify(victim.token)
  for (const { token, code } of hostileTokens({ ...victim, urls: ['https://issuer.invalid/'] })) {
    for (let use = 0; use < 2; use++) t.throws(() => { if (verify(token) === undefined) throw Object.assign(new Error(), { code: 'TOKEN_INVALID' }) }, { code })
  }
  const early = victim.sign({ issuedAt: clock.now + 100 })
  t.throws(() => verify(early), { code: 'TOKEN_INVALID' })
  t.equal(verify(victim.token), claims)
  clock.now += 100
  t.ok(remembers(verify, early), 'what was refused before its time is accepted in its time')
})

t.test('times are judged at each use', async t => {
  const { victim, clock, verify } = await setUp(10)
  const start = clock.now
  const token = victim.sign({ issuedAt: start, lifeSeconds: 60 })
  const claims = verify(token)
  clock.now = start + 59.999
  t.equal(verify(token), claims)
  for (const now of [start + 60, start + 61, start + 1e6, start - 31]) {
    clock.now = now
    t.throws(() => verify(token), { code: now > start ? 'TOKEN_EXPIRED' : 'TOKEN_INVALID' }, String(now - start))
  }
  clock.now = start - 30
  t.equal(verify(token), claims, 'within the skew')
})

t.test('remembered claims cannot be changed by whoever was given them', async t => {
  const { victim, verify } = await setUp(10)
  for (const claims of [verify(victim.token), verify(victim.token)]) {
    if (claims === undefined) throw new Error('refused')
    t.throws(() => { claims.sub = 'x' }, TypeError)
    t.throws(() => { claims.roles.push('admin') }, TypeError)
    t.throws(() => { claims.amr[0] = 'x' }, TypeError)
    t.throws(() => { Object.assign(claims, { ver: 2 }) }, TypeError)
  }
  t.same(verify(victim.token), claimsOf(victim.token))
})

t.test('both signatures of the same claims have a place of their own, and the same claims', async t => {
  const { victim, verify } = await setUp(10)
  const twin = soundTokens(victim).find(({ name }) => name === 'the other s')?.token ?? ''
  t.same(verify(twin), verify(victim.token))
  t.not(verify(twin), verify(victim.token))
  t.ok(remembers(verify, twin))
})

async function code (api: TestApp, token: string): Promise<string> {
  const response = await readMe(api, token)
  return response.statusCode === 200 ? 'OK' : response.json().code
}

t.test('a remembered token ends with its session at once, its twin signature too', async t => {
  const api = await createTestApp(t)
  const person = await signUp(api)
  const victim = { ...await createVictim('ES256'), token: person.accessToken }
  const twin = soundTokens(victim).find(({ name }) => name === 'the other s')?.token ?? ''
  for (const token of [person.accessToken, twin]) for (let use = 0; use < 3; use++) t.equal(await code(api, token), 'OK')
  t.equal((await api.request({ method: 'POST', url: '/api/v1/auth/logout', headers: bearer(twin) })).statusCode, 204)
  for (const token of [person.accessToken, twin]) t.equal(await code(api, token), 'SESSION_REVOKED')
})

t.test('a remembered token ends with its key, and no other token does', async t => {
  const api = await createTestApp(t)
  const sql = connect(api.database)
  t.teardown(async () => { await sql.end() })
  const person = await signUp(api)
  t.equal(await code(api, person.accessToken), 'OK')
  t.equal(await code(api, person.accessToken), 'OK')
  await sql`update signing_keys set revoked_at = now(), retired_at = now(), private_key = null`
  await until('the key is gone', async () => await code(api, person.accessToken) === 'TOKEN_INVALID')
  const again = await signIn(api, person.email)
  t.equal(await code(api, again.accessToken), 'OK')
  t.equal(await code(api, person.accessToken), 'TOKEN_INVALID')
})

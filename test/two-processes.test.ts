import t from 'tap'
import { connect, createTestDatabase, urlOf } from './helpers/database.ts'
import { goodPassword, newEmail } from './helpers/people.ts'
import { login, refresh, send, signUp, standingOf, stop } from './helpers/processes.ts'
import { createDatabaseProxy } from './helpers/proxy.ts'
import { startService, type Service } from './helpers/service.ts'
import { until } from './helpers/until.ts'

const [oldSecret, newSecret] = ['the-old-secret-of-the-test-suite-long-enough', 'the-new-secret-of-the-test-suite-long-enough']

const untilRefused = async (service: Service, token: string, code = 'SESSION_REVOKED'): Promise<void> =>
  await until(`${code} at ${service.url}`, async () => await standingOf(service, token) === code)

const location = await createTestDatabase(t)
const sql = connect(location)
t.teardown(async () => { await sql.end() })
const [proxyA, proxyB] = [await createDatabaseProxy(t, location), await createDatabaseProxy(t, location)]
const settings = { AUTH_SECRET: oldSecret, JWT_ISSUER: 'https://issuer.test', ARGON2_MEMORY_KIB: '1024', ARGON2_TIME_COST: '1', RATE_LIMIT_ENABLED: 'false' }
const [envA, envB] = [{ ...settings, DATABASE_URL: urlOf(proxyA.location) }, { ...settings, DATABASE_URL: urlOf(proxyB.location) }]
/** Starts a process that lasts beyond the test that starts it. */
const start = async (env: Record<string, string>): Promise<Service> => await startService(t, env)
let [a, b, short] = await Promise.all([
  start(envA), start(envB),
  start({ ...envA, ACCESS_TOKEN_TTL_SECONDS: '5', REFRESH_IDLE_TTL_SECONDS: '5', REFRESH_ABSOLUTE_TTL_SECONDS: '8' })
])

/** As if the last rotations of a session lay this many seconds further back. */
const age = async (sessionId: string, seconds: number) =>
  await sql`update sessions set rotated_at = array(select r - make_interval(secs => ${seconds}) from unnest(rotated_at) r) where id = ${sessionId}`
const numberOf = (refreshToken: string): string | undefined => refreshToken.split('.')[3]
const isTrue = async (sessionId: string, condition: string): Promise<boolean> =>
  (await sql.unsafe(`select 1 from sessions where id = '${sessionId}' and ${condition}`)).length === 1

/** Sessions of a few seconds, while the other tests run. */
const lives = (async () => {
  const [used, unused] = [await signUp(short), await signUp(short)]
  const remaining = [used.refreshExpiresIn]
  let { refreshToken } = used
  while (!await isTrue(used.sessionId, 'expires_at <= now() + interval \'1 s\'')) {
    await until('some time has passed', async () => await isTrue(used.sessionId, 'last_used_at <= now() - interval \'1.5 s\''))
    const next = await refresh(short, refreshToken)
    if (next.status !== 200) break
    remaining.push(next.refreshExpiresIn)
    refreshToken = next.refreshToken
  }
  await until('the session is over', async () => await isTrue(used.sessionId, 'expires_at <= now()'))
  await until('nobody used it in time', async () => await isTrue(unused.sessionId, 'idle_expires_at <= now()'))
  return { remaining, used: await refresh(short, refreshToken), unused: await refresh(short, unused.refreshToken), access: await standingOf(short, used.accessToken) }
})()

t.test('50 parallel uses of one refresh token over both: one successor, and nobody is logged out', async t => {
  const person = await signUp(a)
  for (let round = 0; round < 3; round++) {
    const token = round === 0 ? person.refreshToken : (await refresh(a, person.refreshToken)).refreshToken
    const answers = await Promise.all(Array.from({ length: 50 }, async (_, n) => await refresh(n % 2 === 0 ? a : b, token)))
    t.same([...new Set(answers.map(({ status }) => status))], [200])
    t.equal(new Set(answers.map(({ refreshToken }) => refreshToken)).size, 1)
    t.ok(await isTrue(person.sessionId, `refresh_counter = ${round + 1} and revoked_at is null`))
    for (const [service, answer] of [[a, answers[1]], [b, answers[0]]] as const) t.equal(await standingOf(service, answer?.accessToken ?? ''), 'live')
  }
})

t.test('an answer that was lost is asked for again at the other process', async t => {
  const person = await signUp(a)
  const lost = new AbortController()
  const request = fetch(`${a.url}/api/v1/auth/refresh`, { method: 'POST', signal: lost.signal, headers: { 'content-type': 'application/json' }, body: JSON.stringify({ refreshToken: person.refreshToken }) })
  await until('it is rotated', async () => await isTrue(person.sessionId, 'refresh_counter = 1'))
  lost.abort()
  await request.catch(() => {})
  await age(person.sessionId, 8)
  const again = await refresh(b, person.refreshToken)
  t.equal(again.status, 200)
  t.equal((await refresh(a, again.refreshToken)).status, 200)
  t.ok(await isTrue(person.sessionId, 'refresh_counter = 2 and revoked_at is null'))
})

t.test('a token that was replaced long ago ends the session everywhere, with an event', async t => {
  const person = await signUp(a)
  const current = await refresh(a, person.refreshToken)
  await age(person.sessionId, 11)
  const both = await Promise.all([refresh(b, person.refreshToken), refresh(a, person.refreshToken)])
  t.same(both.map(({ status, code }) => `${status} ${code}`).sort(), ['401 REFRESH_TOKEN_INVALID', '401 REFRESH_TOKEN_REUSED'], 'once, also when it comes twice')
  for (const service of [a, b]) {
    for (const token of [person.accessToken, current.accessToken]) await untilRefused(service, token)
    t.equal((await refresh(service, current.refreshToken)).code, 'REFRESH_TOKEN_INVALID')
  }
  const events = await sql`select outcome from audit_events where type = 'authn_token_reuse' and session_id = ${person.sessionId}`
  t.same([...events], [{ outcome: 'failure' }])
  t.match(a.output() + b.output(), 'authn_token_reuse')
})

t.test('a logout at one is refused at the other, twenty times each way', async t => {
  const took: number[] = []
  for (let n = 0; n < 40; n++) {
    const [here, there] = n % 2 === 0 ? [a, b] : [b, a]
    const { accessToken } = await signUp(here)
    t.equal(await standingOf(there, accessToken), 'live')
    t.equal((await send(here, '/auth/logout', { body: {}, token: accessToken })).status, 204)
    const began = performance.now()
    t.equal(await standingOf(here, accessToken), 'SESSION_REVOKED', 'at once where it was asked for')
    await untilRefused(there, accessToken)
    took.push(performance.now() - began)
  }
  took.sort((one, other) => one - other)
  t.comment(`refused at the other after ${took[20]?.toFixed(1)} ms (median), ${took.at(-1)?.toFixed(1)} ms (longest), looks included`)
})

t.test('a process that was cut off from the database learns of a logout when it is back', async t => {
  const [person, other] = [await signUp(a), await signUp(a)]
  await proxyB.cut()
  t.equal((await send(a, '/auth/logout', { body: {}, token: person.accessToken })).status, 204)
  t.equal(await standingOf(b, other.accessToken), 'live', 'tokens are taken meanwhile')
  await proxyB.restore()
  await untilRefused(b, person.accessToken)
  t.equal(await standingOf(b, other.accessToken), 'live')
})

t.test('the disabled cannot refresh, and changed roles come with the next token', async t => {
  const [person, other] = [await signUp(a), await signUp(b)]
  await sql`update users set is_active = false where email = ${person.email}`
  for (const service of [a, b]) {
    t.equal((await refresh(service, person.refreshToken)).code, 'REFRESH_TOKEN_INVALID')
    t.equal((await login(service, person.email)).code, 'ACCOUNT_DISABLED')
    await untilRefused(service, person.accessToken)
  }
  await sql`update users set roles = '{user,admin}' where email = ${other.email}`
  for (const service of [a, b]) await untilRefused(service, other.accessToken, 'TOKEN_STALE')
  t.equal((await send(b, '/admin/breakers', { token: (await refresh(a, other.refreshToken)).accessToken })).status, 200)
})

t.test('a failover that lost the last update logs nobody out', async t => {
  const person = await signUp(a)
  const first = await refresh(a, person.refreshToken)
  const second = await refresh(b, first.refreshToken)
  await sql`update sessions set refresh_counter = 1, rotated_at = rotated_at[1:1] where id = ${person.sessionId}`
  const answers = await Promise.all([refresh(a, second.refreshToken), refresh(b, second.refreshToken), refresh(b, second.refreshToken)])
  t.same(answers.map(({ status }) => status), [200, 200, 200])
  t.equal(new Set(answers.map(({ refreshToken }) => refreshToken)).size, 1)
  t.equal((await refresh(b, first.refreshToken)).refreshToken, answers[0]?.refreshToken, 'who had not heard of the second has the grace')
})

t.test('sessions of a few seconds: idle and absolute life are kept', async t => {
  const { remaining, used, unused, access } = await lives
  t.ok(remaining.length > 2, 'it was refreshed for as long as it lived')
  t.ok(remaining.every((seconds, n) => seconds <= Math.min(5, 8 - n * 1.5 + 1)), remaining.join(' '))
  t.equal(used.code, 'REFRESH_TOKEN_INVALID', 'in use until its absolute end')
  t.equal(unused.code, 'REFRESH_TOKEN_INVALID', 'not used')
  t.equal(access, 'TOKEN_EXPIRED')
  await stop(short)
})

t.test('a process that is killed: its tokens survive', async t => {
  const [person, ended] = [await signUp(a), await signUp(a)]
  t.equal((await send(a, '/auth/logout', { body: {}, token: ended.accessToken })).status, 204)
  await stop(a, 'SIGKILL')
  a = await start(envA)
  t.equal(await standingOf(a, person.accessToken), 'live')
  t.equal(await standingOf(a, ended.accessToken), 'SESSION_REVOKED')
  const next = await refresh(a, person.refreshToken)
  t.equal(next.status, 200)
  t.equal(await standingOf(b, next.accessToken), 'live')
})

t.test('100 parallel guesses over both, by e-mail and by username, are judged five times', async t => {
  const body = { email: newEmail(), username: `guessed-${process.pid}`, password: goodPassword }
  await send(a, '/auth/register', { body })
  const guess = async (n: number) => await send(n % 2 === 0 ? a : b, '/auth/login', {
    body: { ...n % 3 === 0 ? { username: body.username } : { email: body.email }, password: 'not the password' }
  })
  const codes = (await Promise.all(Array.from({ length: 100 }, async (_, n) => await guess(n)))).map(({ code }) => code)
  t.equal(codes.filter(code => code === 'INVALID_CREDENTIALS').length, 5)
  t.ok(codes.every(code => ['INVALID_CREDENTIALS', 'TOO_MANY_ATTEMPTS', 'OVERLOADED'].includes(code ?? '')))
  t.equal((await guess(1)).code, 'TOO_MANY_ATTEMPTS')
})

t.test('a rolling change of AUTH_SECRET: one session is refreshed and used at both at each step', async t => {
  const person = await signUp(a)
  let token = person.refreshToken
  async function useAtBoth (step: string): Promise<void> {
    for (const [here, there] of [[a, b], [b, a]] as const) {
      const pair = await refresh(here, token)
      t.equal(pair.status, 200, step)
      for (const service of [here, there]) {
        t.equal((await send(service, '/users/me', { token: pair.accessToken })).status, 200, step)
        // Another secret may spell it, but it is the same successor.
        t.equal(numberOf((await refresh(service, token)).refreshToken), numberOf(pair.refreshToken), `${step}: parallel tabs`)
      }
      token = pair.refreshToken
    }
    await age(person.sessionId, 60)
  }
  async function roll (service: Service, env: Record<string, string>, ...secrets: string[]): Promise<Service> {
    const [next] = await Promise.all([start({ ...env, AUTH_SECRET: secrets.join(',') }), stop(service)])
    return next
  }
  await useAtBoth('old and old')
  a = await roll(a, envA, oldSecret, newSecret)
  await useAtBoth('old,new and old')
  b = await roll(b, envB, oldSecret, newSecret)
  await useAtBoth('old,new and old,new')
  a = await roll(a, envA, newSecret, oldSecret)
  await useAtBoth('new,old and old,new')
  b = await roll(b, envB, newSecret, oldSecret)
  await useAtBoth('new,old and new,old')
  a = await roll(a, envA, newSecret)
  await useAtBoth('new and new,old')
  b = await roll(b, envB, newSecret)
  await useAtBoth('new and new')
  t.notMatch(a.output() + b.output(), 'no configured secret opens')
  t.equal((await sql`select kid from signing_keys`).length, 1, 'the signing key was sealed anew, not replaced')
})

import t, { type Test } from 'tap'
import { createTestApp } from '../../helpers/app.ts'
import { connect } from '../../helpers/database.ts'
import { goodPassword, post, readMe, refresh, signIn, signUp, type Person } from '../../helpers/people.ts'

const accessLife = 900
const grace = 10

async function createScene (t: Test) {
  const api = await createTestApp(t, { sessions: { accessTtlSeconds: accessLife, refreshGraceSeconds: grace } })
  const sql = connect(api.database)
  t.teardown(async () => { await sql.end() })
  /** As if this many seconds had passed for a session. */
  async function pass (person: Person, seconds: number): Promise<void> {
    const by = sql`make_interval(secs => ${seconds})`
    await sql`update sessions set rotated_at = array(select r - ${by} from unnest(rotated_at) r), last_used_at = last_used_at - ${by},
      access_until = access_until - ${by}, idle_expires_at = idle_expires_at - ${by}, expires_at = expires_at - ${by} where id = ${person.sessionId}`
  }
  async function take (token: string): Promise<{ accessToken: string, refreshToken: string }> {
    const response = await refresh(api, token)
    if (response.statusCode !== 200) throw new Error(response.body)
    return response.json()
  }
  const codeOf = async (token: string): Promise<string> => (await refresh(api, token)).json().code
  /** Nobody gets anything out of the session any more: neither by these refresh tokens nor by these access tokens. */
  async function isOver (t: Test, pairs: { accessToken: string, refreshToken: string }[]): Promise<void> {
    for (const { accessToken, refreshToken } of pairs) {
      t.equal((await readMe(api, accessToken)).json().code, 'SESSION_REVOKED')
      t.equal(await codeOf(refreshToken), 'REFRESH_TOKEN_INVALID')
    }
  }
  return { api, sql, pass, take, codeOf, isOver }
}

t.test('a thief who uses a stolen token inside its grace shares the session', async t => {
  const { api, pass, take, codeOf, isOver } = await createScene(t)
  const person = await signUp(api)
  const owner = await take(person.refreshToken)
  await pass(person, grace - 2)
  const thief = await take(person.refreshToken)
  t.equal(thief.refreshToken, owner.refreshToken, 'the same newest token')
  for (const { accessToken } of [owner, thief]) t.equal((await readMe(api, accessToken)).statusCode, 200)

  await pass(person, accessLife)
  const first = await take(owner.refreshToken)
  await pass(person, grace + 1)
  t.equal(await codeOf(thief.refreshToken), 'REFRESH_TOKEN_REUSED', 'one of them is more than a grace behind, no matter which')
  await isOver(t, [owner, thief, first])
})

t.test('who stays in step with the owner goes on sharing, and loses it the first time that they do not', async t => {
  const { api, pass, take, codeOf, isOver } = await createScene(t)
  const person = await signUp(api)
  let shared = person.refreshToken
  for (let round = 0; round < 5; round++) {
    const owner = await take(shared)
    await pass(person, grace - 2)
    const thief = await take(shared)
    t.equal(thief.refreshToken, owner.refreshToken)
    shared = thief.refreshToken
    await pass(person, accessLife)
  }
  const thief = await take(shared)
  await pass(person, grace + 1)
  t.equal(await codeOf(shared), 'REFRESH_TOKEN_REUSED', 'the owner comes a moment too late')
  await isOver(t, [thief])
})

t.test('a thief who comes after the grace gets nothing and ends the session', async t => {
  const { api, pass, take, codeOf, isOver } = await createScene(t)
  const person = await signUp(api)
  const owner = await take(person.refreshToken)
  await pass(person, grace + 1)
  t.equal(await codeOf(person.refreshToken), 'REFRESH_TOKEN_REUSED')
  await isOver(t, [person, owner])
})

t.test('a thief whose victim never refreshes again keeps the session until its absolute end, or until it is ended', async t => {
  const { api, sql, pass, take, codeOf } = await createScene(t)
  const person = await signUp(api)
  let { accessToken, refreshToken } = await take(person.refreshToken)
  for (let day = 0; day < 29; day++) {
    await pass(person, 24 * 3600)
    ;({ accessToken, refreshToken } = await take(refreshToken))
  }
  t.equal((await readMe(api, accessToken)).statusCode, 200)
  const [row] = await sql`select expires_at < now() + interval '1 day' as ends from sessions where id = ${person.sessionId}`
  t.equal(row?.ends, true, 'no rotation prolonged it')
  await pass(person, 24 * 3600)
  t.equal(await codeOf(refreshToken), 'REFRESH_TOKEN_INVALID')

  for (const end of [
    async (authorization: Record<string, string>) => await post(api, '/auth/logout-all', {}, authorization),
    async (authorization: Record<string, string>) => await post(api, '/users/me/password', { currentPassword: goodPassword, newPassword: 'another engine weaves algebra' }, authorization)
  ]) {
    const victim = await signUp(api)
    const thief = await take(victim.refreshToken)
    const again = await signIn(api, victim.email)
    t.equal((await readMe(api, thief.accessToken)).statusCode, 200, 'a new login alone does not end it')
    t.equal((await end(again.authorization)).statusCode, 204)
    t.equal((await readMe(api, thief.accessToken)).json().code, 'SESSION_REVOKED')
    t.equal(await codeOf(thief.refreshToken), 'REFRESH_TOKEN_INVALID')
  }
})

t.test('the owner is told of a reuse, once; and where that cannot be ordered, the session has ended all the same', async t => {
  const { api, sql, pass, codeOf, isOver } = await createScene(t)
  const noticesOf = async (person: Person) => [...await sql`select recipient, user_id, values->>'notice' as notice from outbox where user_id = ${person.id}`]
  const reuse = async (person: Person) => {
    await refresh(api, person.refreshToken)
    await pass(person, grace + 1)
    return await Promise.all(Array.from({ length: 5 }, async () => await codeOf(person.refreshToken)))
  }
  const [told, untold] = [await signUp(api), await signUp(api)]
  const orders = await noticesOf(told)
  const codes = await reuse(told)
  t.same(codes.sort(), [...Array.from({ length: 4 }, () => 'REFRESH_TOKEN_INVALID'), 'REFRESH_TOKEN_REUSED'])
  t.same((await noticesOf(told)).slice(orders.length), [{ recipient: told.email, user_id: told.id, notice: 'token-reuse' }])

  await sql`alter table outbox rename to elsewhere`
  t.ok((await reuse(untold)).includes('REFRESH_TOKEN_REUSED'))
  await sql`alter table elsewhere rename to outbox`
  await isOver(t, [untold])
  t.ok(api.log.lines().some(line => line.level === 'warn' && line.msg === 'the notice of a reused refresh token could not be ordered'))
})

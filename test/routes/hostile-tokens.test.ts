import { once } from 'node:events'
import { connect as connectTo } from 'node:net'
import Fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { authPlugin } from '../../plugins/auth.ts'
import { dbPlugin } from '../../plugins/db.ts'
import { createTestApp, testSecret, type TestApp } from '../helpers/app.ts'
import { connect } from '../helpers/database.ts'
import { hostileTokens, signAnything, soundTokens, type Victim } from '../helpers/hostile-tokens.ts'
import { watchOutbound } from '../helpers/outbound.ts'
import { bearer, readMe, signIn, signUp, type Person } from '../helpers/people.ts'
import { until } from '../helpers/until.ts'
import { createVictim, stealKey, tokenOptions } from '../helpers/victim.ts'

const me = '/api/v1/users/me'
type Headers = Record<string, string | string[]>

/** What came of a request: the code of the problem, or OK. */
async function ask ({ app }: TestApp, headers: Headers, url = me): Promise<string> {
  const response = await app.inject({ method: 'GET', url, headers })
  if (response.statusCode === 200) return 'OK'
  const { code } = response.json()
  const challenge = code === 'TOKEN_MISSING' ? 'Bearer' : 'Bearer error="invalid_token"'
  const proper = response.statusCode === 401 && response.headers['www-authenticate'] === challenge && /^application\/problem\+json/.test(String(response.headers['content-type']))
  return proper ? code : `${response.statusCode} ${response.body}`
}

/** The key of a service and live tokens of somebody's. */
async function victimOf (api: TestApp, person: Person, urls: string[]): Promise<Victim> {
  const stolen = await stealKey(api, testSecret)
  const elsewhere = await signIn(api, person.email)
  return { ...await createVictim(stolen.algorithm, urls, stolen), token: person.accessToken, otherToken: elsewhere.accessToken, refreshToken: person.refreshToken }
}

for (const algorithm of ['ES256', 'EdDSA', 'RS256'] as const) {
  t.test(`GET /users/me: 401 for every hostile token, with keys of ${algorithm}`, async t => {
    const outbound = await watchOutbound(t)
    const api = await createTestApp(t, { jwt: { issuer: tokenOptions.issuer, algorithm } })
    const person = await signUp(api)
    const victim = await victimOf(api, person, outbound.urls)
    t.equal(victim.algorithm, algorithm)
    t.equal(await ask(api, bearer(victim.token)), 'OK')
    const wrong = []
    for (const { name, token, code } of hostileTokens(victim)) {
      const verdict = await ask(api, bearer(token))
      if (verdict !== code) wrong.push({ name, verdict })
    }
    t.same(wrong, [])
    for (const { name, token } of soundTokens(victim)) t.equal(await ask(api, bearer(token)), 'OK', name)
    t.equal((await readMe(api, person.accessToken)).json().id, person.id, 'a good token is still good')
    t.same(api.log.lines().filter(({ level }) => level === 'error' || level === 'fatal'), [], 'no error in the log')
    await outbound.check()
  })
}

t.test('GET /users/me: 401 for tokens of keys that retired, were revoked or belong to somebody else', async t => {
  const api = await createTestApp(t)
  const person = await signUp(api)
  const sql = connect(api.database)
  t.teardown(async () => { await sql.end() })
  const claims = Buffer.from(person.accessToken.split('.')[1] ?? '', 'base64url')
  /** The same claims by another key, which is stored with these values, if any. */
  async function tokenOf (row?: object): Promise<string> {
    const victim = await createVictim('ES256')
    if (row !== undefined) await sql`insert into signing_keys ${sql({ kid: victim.kid, algorithm: victim.algorithm, public_key: victim.publicKey, private_key: null, token_ttl_seconds: 900, ...row })}`
    return signAnything(victim, undefined, claims)
  }
  const ago = (seconds: number): Date => new Date(Date.now() - seconds * 1000)
  const lately = await tokenOf({ activates_at: ago(5000), retired_at: ago(60) })
  await until('a key that retired lately is taken', async () => await ask(api, bearer(lately)) === 'OK')
  const tokens = {
    retired: await tokenOf({ activates_at: ago(5000), retired_at: ago(961) }),
    revoked: await tokenOf({ activates_at: ago(5000), retired_at: ago(60), revoked_at: ago(60) }),
    'somebody else\'s': await tokenOf()
  }
  for (const [name, token] of Object.entries(tokens)) t.equal(await ask(api, bearer(token)), 'TOKEN_INVALID', name)
  t.equal(await ask(api, bearer(lately)), 'OK')
  t.equal(await ask(api, bearer(person.accessToken)), 'OK')

  const other = await createTestApp(t, { jwt: { issuer: 'https://issuer.other' } }, api.database)
  t.equal(await ask(other, bearer(person.accessToken)), 'TOKEN_INVALID', 'of another issuer with the same keys')
  t.equal(await ask(api, bearer((await signIn(other, person.email)).accessToken)), 'TOKEN_INVALID')
})

/** Sends these lines to the app over a socket. */
async function raw (t: Test, port: number, ...lines: string[]): Promise<{ status: number, head: string, code: string }> {
  const socket = connectTo(port, '127.0.0.1')
  t.teardown(() => socket.destroy())
  let text = ''
  socket.setEncoding('utf8').on('data', (chunk: string) => { text += chunk }).on('error', () => {})
  socket.write([`GET ${me} HTTP/1.1`, 'Host: x', 'Connection: close', ...lines, '', ''].join('\r\n'))
  await once(socket, 'close')
  const [head = '', body = ''] = text.split('\r\n\r\n', 2)
  return { status: Number(head.split(' ')[1]), head, code: JSON.parse(body).code }
}

t.test('GET /users/me: where a token may stand', async t => {
  const api = await createTestApp(t)
  const { accessToken: token, refreshToken } = await signUp(api)
  const { accessToken: other } = await signUp(api)

  t.test('after any spelling of Bearer and one space', async t => {
    for (const scheme of ['Bearer', 'bearer', 'BEARER', 'bEARER']) t.equal(await ask(api, { authorization: `${scheme} ${token}` }), 'OK')
    for (const text of [`Bearer  ${token}`, `Bearer\t${token}`, `Bearer ${token} x`, `Bearer ${token},`, `Bearer ${token}, Bearer ${other}`, `Bearer, Bearer ${token}`, `Bearer Bearer ${token}`, `Bearer token="${token}"`, `Bearer "${token}"`, `Bearer:${token}`, 'Bearer', 'Bearer ', 'Bearer  ']) {
      t.equal(await ask(api, { authorization: text }), 'TOKEN_INVALID', text.slice(0, 20))
    }
    for (const text of [`Bearer${token}`, token, ` Bearer ${token}`, `Basic ${token}`, `Basic ${Buffer.from(`:${token}`).toString('base64')}`, `Token ${token}`, `JWT ${token}`, `DPoP ${token}`, `Bear ${token}`, `Basic x, Bearer ${token}`, '']) {
      t.equal(await ask(api, { authorization: text }), 'TOKEN_MISSING', text.slice(0, 20))
    }
  })

  t.test('nowhere but in the Authorization header', async t => {
    for (const name of ['access_token', 'token', 'accessToken', 'authorization', 'jwt']) {
      t.equal(await ask(api, {}, `${me}?${name}=${token}`), 'TOKEN_MISSING', name)
      t.equal(await ask(api, { cookie: `${name}=${token}` }), 'TOKEN_MISSING', name)
      t.equal(await ask(api, { [`x-${name}`]: `Bearer ${token}`, 'proxy-authorization': `Bearer ${token}`, 'x-authorization': `Bearer ${token}` }), 'TOKEN_MISSING', name)
      for (const [type, payload] of [['application/json', JSON.stringify({ [name]: token })], ['application/x-www-form-urlencoded', `${name}=${token}`]] as const) {
        const response = await api.request({ method: 'PATCH', url: me, headers: { 'content-type': type }, payload })
        t.equal(response.json().code, 'TOKEN_MISSING')
      }
    }
    t.equal(await ask(api, { ...bearer(refreshToken), cookie: `token=${token}` }, `${me}?access_token=${token}`), 'TOKEN_INVALID')
  })

  t.test('once: two Authorization headers are refused, whichever is good', async t => {
    const port = Number(new URL(await api.app.listen({ port: 0, host: '127.0.0.1' })).port)
    const [good, bad] = [`Authorization: Bearer ${token}`, 'Authorization: Bearer x.y.z']
    t.equal((await raw(t, port, good)).status, 200)
    t.equal((await raw(t, port, `aUTHORIZATION:Bearer ${token}  `)).status, 200)
    for (const lines of [[good, bad], [bad, good], [good, good], [good, `authorization: Bearer ${other}`], [good, 'Authorization: Basic YTpi'], ['Authorization:', good], [good, 'Authorization:']]) {
      const { status, code, head } = await raw(t, port, ...lines)
      t.same({ status, code }, { status: 401, code: 'TOKEN_INVALID' })
      t.match(head, /^www-authenticate: Bearer error="invalid_token"\r$/im)
    }
    t.equal((await raw(t, port, `Authorization: Bearer ${'A'.repeat(15 * 1024)}`)).code, 'TOKEN_INVALID')
    for (const line of [`Authorization: Bearer ${'A'.repeat(16 * 1024)}`, `Authorization: Bearer ${token}${'.A'.repeat(10_000)}`, `X-${'A'.repeat(17_000)}: x`]) {
      const { status, code, head } = await raw(t, port, good.replace('Authorization', 'X-Other'), line)
      t.same({ status, code }, { status: 431, code: 'HEADERS_TOO_LARGE' })
      t.match(head, /^content-type: application\/problem\+json/im)
    }
    t.equal((await raw(t, port, good)).status, 200, 'and the next one is served')
  })
})

t.test('the request function that @fastify/jwt adds accepts no more than the routes do', async t => {
  const api = await createTestApp(t)
  const person = await signUp(api)
  const app: FastifyInstance = Fastify()
  t.teardown(async () => { await app.close() })
  await app.register(dbPlugin, api.database)
  await app.register(authPlugin, { secrets: [testSecret], issuer: tokenOptions.issuer })
  app.get('/who', { config: { access: 'public' } }, async request => await request.getDecorator<() => Promise<object>>('authServeJwtVerify').call(request))
  const who = async (): Promise<number> => (await app.inject({ url: '/who', headers: person.authorization })).statusCode
  t.equal(await who(), 200)
  await api.request({ method: 'POST', url: '/api/v1/auth/logout', headers: person.authorization })
  await until('the token is refused', async () => await who() !== 200)
})

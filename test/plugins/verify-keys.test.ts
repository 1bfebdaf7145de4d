import { generateKeyPairSync } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { createTestApp, type TestApp } from '../helpers/app.ts'
import { connect } from '../helpers/database.ts'
import { relay, startHttpServer, startIssuer, type Handler } from '../helpers/http-server.ts'
import { signIn, signUp, type Person } from '../helpers/people.ts'
import { until } from '../helpers/until.ts'
import { createVerifyingApp, jwksPath, type VerifyingApp } from '../helpers/verifying-app.ts'

const headerOf = (token: string): Record<string, string> => JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString())
const withHeader = (token: string, header: object): string => [Buffer.from(JSON.stringify(header)).toString('base64url'), ...token.split('.').slice(1)].join('.')
/** A token that a key could have signed which is not known yet. */
const ofUnknownKey = (token: string, kid = 'unknown'): string => withHeader(token, { ...headerOf(token), kid })

/** Retires the key that signs; answers what a new key signed. */
async function rotate (t: Test, api: TestApp, person: Person): Promise<string> {
  const sql = connect(api.database)
  t.teardown(async () => { await sql.end() })
  await sql`update signing_keys set retired_at = now()`
  let next = person
  await until('another key signs', async () => {
    next = await signIn(api, person.email)
    return headerOf(next.accessToken).kid !== headerOf(person.accessToken).kid
  })
  return next.accessToken
}

t.test('a rotated key is fetched at its first token, and not more often than allowed', async t => {
  const api = await createTestApp(t)
  const person = await signUp(api)
  const issuer = await startIssuer(t, api)
  const { call } = await createVerifyingApp(t, { jwksUrl: issuer.url + jwksPath, jwks: { cooldownMs: 300 } })
  t.equal((await call(person.accessToken)).status, 200)
  t.equal(issuer.count(), 1)
  const rotated = await rotate(t, api, person)
  await delay(300)
  t.equal((await call(rotated)).status, 200)
  t.equal(issuer.count(), 2)
  t.equal((await call(person.accessToken)).status, 200, 'the key before is still taken')
  t.equal(issuer.count(), 2)

  t.test('200 tokens of unknown keys cause no request within the cooldown, and one after it', async t => {
    const flood = async ({ call }: VerifyingApp): Promise<number> => {
      const before = issuer.count()
      const answers = await Promise.all(Array.from({ length: 200 }, async (_, i) => await call(ofUnknownKey(person.accessToken, `k${i}`))))
      t.ok(answers.every(({ status, code }) => status === 401 && code === 'TOKEN_INVALID'))
      return issuer.count() - before
    }
    const [within, after] = [await createVerifyingApp(t, { jwksUrl: issuer.url + jwksPath, jwks: { cooldownMs: 600_000 } }), await createVerifyingApp(t, { jwksUrl: issuer.url + jwksPath, jwks: { cooldownMs: 2000 } })]
    for (const { call } of [within, after]) t.equal((await call(person.accessToken)).status, 200)
    t.equal(await flood(within), 0)
    await delay(2000)
    const start = performance.now()
    const requests = await flood(after)
    t.ok(requests >= 1 && requests <= 1 + (performance.now() - start) / 2000, 'one, and one more for each cooldown that passes')
  })
})

t.test('the cooldown counts from the start of a reading, however long that took', async t => {
  const api = await createTestApp(t)
  const person = await signUp(api)
  const issuer = await startHttpServer(t, (request, response) => {
    delay(1000).then(() => { relay(api)(request, response) }, () => {})
  })
  const { call } = await createVerifyingApp(t, { jwksUrl: issuer.url + jwksPath, jwks: { cooldownMs: 1000 } })
  t.equal((await call(person.accessToken)).status, 200)
  t.equal(issuer.count(), 1)
  t.equal((await call(ofUnknownKey(person.accessToken))).status, 401)
  t.equal(issuer.count(), 2)
})

t.test('keys are read again at their maximum age, by conditional requests', async t => {
  const api = await createTestApp(t)
  const answers: number[] = []
  const issuer = await startHttpServer(t, (request, response) => {
    response.on('finish', () => { answers.push(response.statusCode) })
    relay(api)(request, response)
  })
  await createVerifyingApp(t, { jwksUrl: issuer.url + jwksPath, jwks: { maxAgeSeconds: 1 } })
  await until('it was read three times', () => answers.length >= 3)
  t.same(answers.slice(0, 3), [200, 304, 304])
})

t.test('no header of a token causes a request: jku, x5u, jwk, crit and the like are 401, even in an outage', async t => {
  const api = await createTestApp(t)
  const person = await signUp(api)
  const [issuer, trap] = [await startIssuer(t, api), await startHttpServer(t, (_request, response) => { response.end('{"keys":[]}') })]
  const { call } = await createVerifyingApp(t, { jwksUrl: issuer.url + jwksPath, jwks: { cooldownMs: 10 } })
  t.equal((await call(person.accessToken)).status, 200)
  const { alg, kid } = headerOf(person.accessToken)
  const jwk = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' })
  const hostile = [
    { jku: trap.url }, { x5u: trap.url }, { jwk }, { x5c: ['AA=='] }, { crit: ['exp'] }, { b64: false }, { typ: 'JWT' }, { alg: 'none' }, { alg: 'HS256' }, { kid: '../../key', jku: trap.url }
  ].map(extra => withHeader(person.accessToken, { alg, typ: 'at+jwt', kid, ...extra }))
  hostile.push(withHeader(person.accessToken, [trap.url]), withHeader(person.accessToken, { kid, alg, typ: 'at+jwt' }), 'x.y.z', `${person.accessToken}.x`, '..')
  await delay(20)
  for (const token of hostile) t.match(await call(token), { status: 401, code: 'TOKEN_INVALID' }, JSON.stringify(token.slice(0, 80)))
  t.equal(trap.count(), 0)
  t.equal(issuer.count(), 1, 'nor was the issuer asked again')
  await issuer.stop()
  for (const token of hostile) t.equal((await call(token)).status, 401)
})

t.test('an issuer that is down at the start: 503, and by itself 200 once it is up', async t => {
  const api = await createTestApp(t)
  const person = await signUp(api)
  const issuer = await startIssuer(t, api)
  await issuer.stop()
  const { app, call, log } = await createVerifyingApp(t, { jwksUrl: issuer.url + jwksPath })
  const refused = await call(person.accessToken)
  t.match(refused, { status: 503, code: 'SERVICE_UNAVAILABLE', headers: { 'retry-after': /^[1-9]\d*$/, 'cache-control': 'no-store', 'content-type': /problem\+json/ } })
  t.notOk(refused.headers['www-authenticate'])
  await issuer.start()
  await until('the keys are there', () => app.authServeVerifier.state().keys.loaded)
  t.equal((await call(person.accessToken)).status, 200)
  t.equal(log.lines().filter(({ level, msg }) => level === 'warn' && /JWK set/.test(String(msg))).length, 1, 'told once')
})

t.test('the breaker warns once in an outage, tells its end, and its trials only to those who debug', async t => {
  const api = await createTestApp(t)
  const server = await startHttpServer(t, (_request, response) => { response.writeHead(500).end() })
  const { log } = await createVerifyingApp(t, { jwksUrl: server.url + jwksPath, jwks: { cooldownMs: 50 } })
  const transitions = (): string[] => log.lines().filter(({ breaker }) => breaker === 'verify-jwks').map(({ level, from, to }) => `${String(level)}: ${String(from)} to ${String(to)}`)
  await until('a trial failed', () => transitions().length >= 3)
  server.answer(relay(api))
  await until('a trial succeeded', () => transitions().some(line => line.endsWith('closed')))
  const lines = transitions()
  t.same([lines.at(0), lines.at(-1)], ['warn: closed to open', 'info: halfOpen to closed'])
  const trials = new Set(lines.slice(1, -1))
  t.same([...trials].sort(), ['debug: halfOpen to open', 'debug: open to halfOpen'])
})

t.test('an issuer that goes down later: known keys verify, unknown ones are 503 and never 401', async t => {
  const api = await createTestApp(t)
  const person = await signUp(api)
  const issuer = await startIssuer(t, api)
  const { app, call } = await createVerifyingApp(t, { jwksUrl: issuer.url + jwksPath, jwks: { cooldownMs: 50, timeoutMs: 200 } })
  t.equal((await call(person.accessToken)).status, 200)
  const rotated = await rotate(t, api, person)
  await issuer.stop()
  await delay(50)
  t.match(await call(rotated), { status: 503, code: 'SERVICE_UNAVAILABLE' })
  t.match(await call(ofUnknownKey(person.accessToken)), { status: 503 }, 'within the cooldown after a failure, too')
  t.equal((await call(person.accessToken)).status, 200)

  await issuer.start()
  issuer.answer(() => {})
  await until('hanging is an outage, too', async () => (await call(rotated)).status === 503)
  t.equal((await call(person.accessToken)).status, 200)
  issuer.answer(relay(api))
  await until('the new key is taken', async () => (await call(rotated)).status === 200)
  await until('and the unknown one is not', async () => (await call(ofUnknownKey(person.accessToken))).status === 401)
  t.ok(app.authServeVerifier.state().keys.keys >= 2)
})

t.test('keys that could not be read again for too long are 503, too', async t => {
  const api = await createTestApp(t)
  const person = await signUp(api)
  const issuer = await startIssuer(t, api)
  const { call } = await createVerifyingApp(t, { jwksUrl: issuer.url + jwksPath, jwks: { maxStalenessSeconds: 1, cooldownMs: 50 } })
  t.equal((await call(person.accessToken)).status, 200)
  await issuer.stop()
  await until('they are too old', async () => (await call(person.accessToken)).status === 503)
  await issuer.start()
  await until('they are fresh', async () => (await call(person.accessToken)).status === 200)
})

t.test('answers that are no key set leave it at 503, within bounds, and it recovers', async t => {
  const api = await createTestApp(t)
  const person = await signUp(api)
  const { keys }: { keys: Array<Record<string, string>> } = (await api.app.inject(jwksPath)).json()
  const good = await startIssuer(t, api)
  let sent = 0
  const chunk = Buffer.alloc(65_536, ' ')
  const send = (body: string | Buffer, status = 200, headers: Record<string, string> = { 'content-type': 'application/json' }): Handler => (_request, response) => { response.writeHead(status, headers).end(body) }
  const hostile: Record<string, Handler> = {
    HTML: send('<!doctype html><title>Sign in</title>', 200, { 'content-type': 'text/html' }),
    nothing: send(''),
    'JSON of another kind': send('[null]'),
    '100 000 levels': send('['.repeat(100_000)),
    'not UTF-8': send(Buffer.from([0x7b, 0xff, 0x7d])),
    'status 500': send(JSON.stringify({ keys }), 500),
    'status 304 to an unconditional request': send('', 304),
    'an empty set': send('{"keys":[]}'),
    'another algorithm than that of the key': send(JSON.stringify({ keys: keys.map(key => ({ ...key, alg: 'RS256' })) })),
    'keys for encryption': send(JSON.stringify({ keys: keys.map(key => ({ ...key, use: 'enc' })) })),
    'secret keys': send(JSON.stringify({ keys: keys.map(({ kid, x }) => ({ kty: 'oct', kid, k: x, alg: 'ES256' })) })),
    'a redirect': send('', 302, { location: good.url + jwksPath }),
    'a gzip bomb': send(gzipSync(Buffer.alloc(100_000_000, ' ')), 200, { 'content-encoding': 'gzip' }),
    '100 MB said': send('x', 200, { 'content-length': '100000000' }),
    '100 MB streamed' (_request, response) {
      response.on('error', () => {})
      const more = (): void => {
        while (sent < 100_000_000 && !response.destroyed) {
          sent += chunk.length
          if (!response.write(chunk)) { response.once('drain', more); return }
        }
        response.end()
      }
      more()
    },
    'one byte now and then' (_request, response) {
      const timer = setInterval(() => { response.write(' ') }, 20)
      response.on('close', () => { clearInterval(timer) })
    },
    'no answer': () => {},
    'a cut connection': (_request, response) => { response.destroy() }
  }
  for (const [name, handler] of Object.entries(hostile)) {
    const server = await startHttpServer(t, handler)
    const { app, call } = await createVerifyingApp(t, { jwksUrl: server.url + jwksPath, jwks: { timeoutMs: 500, cooldownMs: 100 } })
    t.match(await call(person.accessToken), { status: 503, code: 'SERVICE_UNAVAILABLE' }, name)
    server.answer(relay(api))
    await until(`it recovers from ${name}`, async () => (await call(person.accessToken)).status === 200)
    await app.close()
  }
  t.equal(good.count(), 0, 'the redirect was not followed')
  t.ok(sent < 20_000_000, `of 100 MB ${sent} bytes were sent`)
})

t.test('private members are not looked at; entries that are no use are passed over', async t => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const api = await createTestApp(t, { jwt: { issuer: 'https://issuer.test', keys: [privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()] } })
  const { accessToken } = await signUp(api)
  const { kid } = headerOf(accessToken)
  const issuer = await startHttpServer(t, (_request, response) => {
    response.end(JSON.stringify({ keys: [{ kty: 'oct', kid, k: 'AAAA' }, 7, { ...publicKey.export({ format: 'jwk' }), kid, d: privateKey.export({ format: 'jwk' }).d }] }))
  })
  const { app, call } = await createVerifyingApp(t, { jwksUrl: issuer.url })
  t.equal((await call(accessToken)).status, 200)
  t.equal(app.authServeVerifier.state().keys.keys, 1)
})

t.test('the app closes at once while the issuer hangs', async t => {
  const issuer = await startHttpServer(t, () => {})
  const { app, call } = await createVerifyingApp(t, { jwksUrl: issuer.url, jwks: { timeoutMs: 60_000 }, revocations: { url: issuer.url, timeoutMs: 60_000 } })
  await until('it was asked', () => issuer.count() === 2)
  const waiting = call(withHeader('e30.e30.e30', { alg: 'ES256', typ: 'at+jwt', kid: 'unknown' }))
  const start = performance.now()
  await app.close()
  t.equal((await waiting).status, 503)
  t.ok(performance.now() - start < 2000)
})

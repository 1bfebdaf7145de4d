import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { Webhook as Verifier } from 'standardwebhooks'
import t, { type Test } from 'tap'
import { lookupPublic, isPublicAddress } from '../../src/webhooks/target.ts'
import { createTestApp, testSecret, type TestApp, type TestAppOptions } from '../helpers/app.ts'
import { connect } from '../helpers/database.ts'
import { startHttpServer, type HttpServer } from '../helpers/http-server.ts'
import { signUpAdmin } from '../helpers/keys.ts'
import { goodPassword, newEmail, post, signUp, type Person } from '../helpers/people.ts'
import { until } from '../helpers/until.ts'

interface Delivered { id: string, signature: string, headers: Record<string, string>, body: string, data: Record<string, unknown> }
interface Receiver extends HttpServer {
  got: Delivered[]
  /** Requests that were open at one time, at most. */
  mostOpen(): number
  /** What it answers, request by request; the last for all that follow. */
  answers: (number | 'hang' | 'redirect' | 'endless')[]
}

async function startReceiver (t: Test): Promise<Receiver> {
  const got: Delivered[] = []
  const answers: Receiver['answers'] = [204]
  let open = 0
  let mostOpen = 0
  const server = await startHttpServer(t, (request, response) => {
    mostOpen = Math.max(mostOpen, ++open)
    response.on('close', () => { open-- })
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => { chunks.push(chunk) }).on('end', () => {
      const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]))
      const body = Buffer.concat(chunks).toString()
      got.push({ id: headers['webhook-id'] ?? '', signature: headers['webhook-signature'] ?? '', headers, body, data: body === '' ? {} : JSON.parse(body).data })
      const answer = answers.length > 1 ? answers.shift() : answers[0]
      if (answer === 'hang') return
      if (answer === 'redirect') response.writeHead(307, { location: `${server.url}/elsewhere` }).end()
      else if (answer === 'endless') {
        response.writeHead(200)
        const more = (): void => { while (!response.destroyed && response.write('x'.repeat(10_000))); }
        response.on('drain', more)
        more()
      } else response.writeHead(answer ?? 204).end()
    })
  })
  return { ...server, got, answers, mostOpen: () => mostOpen }
}

interface Service { api: TestApp, admin: Person, sql: ReturnType<typeof connect> }
interface Made { id: string, secret: string }

async function startService (t: Test, webhooks: TestAppOptions['webhooks'] = {}, more: TestAppOptions = {}): Promise<Service> {
  const api = await createTestApp(t, { webhooks: { allowPrivate: true, pollMs: 20, timeoutMs: 500, pauseMs: 200, ...webhooks }, ...more })
  const sql = connect(api.database)
  t.teardown(async () => { await sql.end() })
  return { api, sql, admin: await signUpAdmin(api) }
}

const call = async ({ api, admin }: Service, method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE', path: string, payload?: object) =>
  await api.request({ method, url: `/api/v1/admin/webhooks${path}`, headers: admin.authorization, ...payload === undefined ? {} : { payload } })

async function make (service: Service, input: object): Promise<Made> {
  const response = await call(service, 'POST', '', input)
  if (response.statusCode !== 201) throw new Error(response.body)
  return response.json()
}

const register = async ({ api }: Service): Promise<string> => (await post(api, '/auth/register', { email: newEmail(), password: goodPassword })).json().id
const about = (receiver: Receiver, userId: string): Delivered[] => receiver.got.filter(({ data }) => data.targetId === userId)
const deliveries = async (service: Service, id: string, query = '') => (await call(service, 'GET', `/${id}/deliveries${query}`)).json().items
const settled = async (service: Service, id: string, status: string) => {
  await until(`a delivery is ${status}`, async () => (await deliveries(service, id, `?status=${status}`)).length > 0)
  return (await deliveries(service, id, `?status=${status}`))[0]
}
const makeDue = async ({ sql }: Service, id: string) => await sql`update webhook_deliveries set next_attempt_at = now() where webhook_id = ${id} and status = 'pending'`

t.test('webhooks', async t => {
  const service = await startService(t)
  const { api, sql } = service
  const receiver = await startReceiver(t)

  t.test('are for those who may; their secrets are shown once and stored sealed', async t => {
    const person = await signUp(api)
    for (const [method, path] of [['GET', ''], ['POST', ''], ['GET', '/x'], ['POST', '/x/test'], ['GET', '/x/deliveries']] as const) {
      t.equal((await api.request({ method, url: `/api/v1/admin/webhooks${path}`, headers: person.authorization })).statusCode, 403)
    }
    const created = await call(service, 'POST', '', { url: `${receiver.url}/hook?key=of-theirs`, description: 'CRM', eventTypes: ['user_deleted'] })
    t.equal(created.statusCode, 201)
    const { id, secret, ...shown } = created.json()
    t.equal(created.headers.location, `/api/v1/admin/webhooks/${id}`)
    t.match(secret, /^whsec_[A-Za-z0-9+/]{32}$/)
    t.match(shown, { url: `${receiver.url}/hook?key=of-theirs`, description: 'CRM', eventTypes: ['user_deleted'], isActive: true, previousSecretUntil: null })
    const read = await call(service, 'GET', `/${id}`)
    t.same(read.json(), { id, ...shown })
    t.same((await call(service, 'GET', '')).json().items, [{ id, ...shown }])
    const [row] = await sql`select secret from webhooks where id = ${id}`
    t.match(row?.secret, /^v1\./)
    t.notOk(api.log.text().includes(secret))
    t.notOk(api.log.text().includes('of-theirs'), 'no query of a receiver is logged')
    const [event] = await sql`select details from audit_events where type = 'authz_admin' and details ->> 'webhookId' = ${id}`
    t.same(event?.details, { action: 'webhook_created', webhookId: id, origin: receiver.url })

    t.match((await call(service, 'PATCH', `/${id}`, { description: null, isActive: false })).json(), { description: null, isActive: false, eventTypes: ['user_deleted'] })
    t.match((await call(service, 'PUT', `/${id}`, { eventTypes: [] })).json(), { isActive: false, eventTypes: [] })
    t.equal((await call(service, 'POST', `/${id}/test`)).statusCode, 409, 'nothing is sent to one that is not active')
    t.equal((await call(service, 'DELETE', `/${id}`)).statusCode, 204)
    const gone = [['GET', `/${id}`], ['PATCH', `/${id}`, {}], ['DELETE', `/${id}`], ['POST', `/${id}/rotate-secret`], ['POST', `/${id}/test`], ['GET', `/${id}/deliveries`], ['POST', `/${id}/deliveries/${id}/retry`]] as const
    for (const [method, path, payload] of gone) t.match((await call(service, method, path, payload)).json(), { status: 404, code: 'NOT_FOUND' }, `${method} ${path}`)
  })

  t.test('bad input is refused, and says what to fix', async t => {
    const wrong = [[{}, '/body/url'], [{ url: 'ftp://a.example' }, '/body/url'], [{ url: 'https://user:secret@a.example/' }, '/body/url'], [{ url: 'https://' }, '/body/url'],
      [{ url: 'https://a.example/#x' }, '/body/url'], [{ url: receiver.url, eventTypes: ['nonsense'] }, '/body/eventTypes/0'], [{ url: receiver.url, secret: 'mine' }, '/body/secret']] as const
    for (const [input, path] of wrong) {
      const response = await call(service, 'POST', '', input)
      t.match(response.json(), { status: 422, code: 'INVALID_INPUT', errors: [{ path }] }, JSON.stringify(input))
      t.notOk(response.body.includes('user:secret'))
    }
    t.match((await call(service, 'GET', '?cursor=abc')).json(), { status: 422, errors: [{ path: '/query/cursor' }] })
    t.match((await call(service, 'GET', '/no-uuid')).json(), { status: 422, errors: [{ path: '/params/id' }] })
  })

  t.test('an event arrives as Standard Webhooks say, once the change is committed, and only then', async t => {
    const { id, secret } = await make(service, { url: `${receiver.url}/created`, eventTypes: ['user_created'] })
    const userId = await register(service)
    await until('it arrived', () => about(receiver, userId).length === 1)
    const [delivered] = about(receiver, userId)
    if (delivered === undefined) throw new Error('nothing arrived')
    const { headers, body } = delivered
    t.match(new Verifier(secret).verify(body, headers), { type: 'user_created', data: { targetId: userId, outcome: 'success' } })
    const key = Buffer.from(secret.slice('whsec_'.length), 'base64')
    t.equal(delivered.signature, `v1,${createHmac('sha256', key).update(`${delivered.id}.${headers['webhook-timestamp']}.${body}`).digest('base64')}`)
    t.match(headers, { 'content-type': 'application/json', host: new URL(receiver.url).host })
    const [event] = await sql`select id, occurred_at, request_id, ip_address from audit_events where target_id = ${userId} and type = 'user_created'`
    t.equal(delivered.id, event?.id)
    t.same(JSON.parse(body), {
      type: 'user_created',
      timestamp: event?.occurred_at.toISOString(),
      data: { id: event?.id, type: 'user_created', outcome: 'success', occurredAt: event?.occurred_at.toISOString(), actorId: userId, targetId: userId, sessionId: null, requestId: event?.request_id, ipAddress: event?.ip_address, userAgent: 'lightMyRequest', details: {} }
    })
    t.match(await settled(service, id, 'delivered'), { eventId: event?.id, eventType: 'user_created', status: 'delivered', attempts: 1, nextAttemptAt: null, lastStatus: 204, lastError: null })

    const email = newEmail()
    await Promise.all(Array.from({ length: 5 }, async () => await post(api, '/auth/register', { email, password: goodPassword })))
    const [made] = await sql`select id from users where email = ${email}`
    await until('it arrived', () => about(receiver, String(made?.id)).length === 1)
    await signUp(api)
    const [counts] = await sql`select (select count(*) from users) as users, (select count(*) from webhook_deliveries where webhook_id = ${id}) as owed,
      (select count(*) from audit_events where type = 'user_created' and occurred_at < (select created_at from webhooks where id = ${id})) as before`
    t.equal(Number(counts?.owed), Number(counts?.users) - Number(counts?.before), 'what was refused owes nothing, nor what was before, nor another type')
    t.equal((await call(service, 'DELETE', `/${id}`)).statusCode, 204)
  })

  t.test('while a secret rotates both sign, each on its own enough; the old one ends', async t => {
    const { id, secret: old } = await make(service, { url: `${receiver.url}/rotating` })
    const rotated = await call(service, 'POST', `/${id}/rotate-secret`)
    t.equal(rotated.statusCode, 200)
    const { secret, previousSecretUntil } = rotated.json()
    t.not(secret, old)
    t.ok(Math.abs(new Date(previousSecretUntil).getTime() - Date.now() - 86_400_000) < 60_000)
    const test = async (): Promise<Delivered> => {
      const { eventId } = (await call(service, 'POST', `/${id}/test`)).json()
      await until('the test arrived', () => receiver.got.some(got => got.id === eventId))
      return receiver.got.find(got => got.id === eventId) ?? { id: '', signature: '', headers: {}, body: '', data: {} }
    }
    const both = await test()
    t.match(both.data, { type: 'authz_admin', details: { action: 'webhook_tested', webhookId: id } })
    t.equal(both.signature.split(' ').length, 2)
    for (const one of [secret, old]) t.ok(new Verifier(one).verify(both.body, both.headers))
    await sql`update webhooks set previous_secret_until = now() where id = ${id}`
    const { body, headers, signature } = await test()
    t.equal(signature.split(' ').length, 1)
    t.ok(new Verifier(secret).verify(body, headers))
    t.throws(() => new Verifier(old).verify(body, headers))
    t.throws(() => new Verifier(secret).verify(body.replace('webhook_tested', 'webhook_texted'), headers), 'another text is not signed')
    // The refusals of above may come into the trail now.
    const countOwed = async () => (await sql`select 1 from webhook_deliveries where webhook_id = ${id} and event_type <> 'authz_fail'`).length
    const count = await countOwed()
    await sql`select pg_sleep(0.1)`
    t.equal(await countOwed(), count, 'a delivery is no event')
    await call(service, 'DELETE', `/${id}`)
  })

  t.test('a receiver that was down gets it once it is up, under the same id; one that is bad stops no other', async t => {
    const down = await startReceiver(t)
    await down.stop()
    const bad = await make(service, { url: down.url, eventTypes: ['user_created'] })
    const good = await make(service, { url: `${receiver.url}/good`, eventTypes: ['user_created'] })
    const slow = await startReceiver(t)
    slow.answers.splice(0, 1, 'hang')
    const { id: slowId } = await make(service, { url: slow.url, eventTypes: ['user_created'] })
    const people = [await register(service)]
    await until('a try failed', async () => (await deliveries(service, bad.id))[0]?.attempts >= 1 && (await deliveries(service, bad.id))[0].lastError !== null)
    t.match((await deliveries(service, bad.id))[0], { status: 'pending', lastStatus: null, lastError: 'ECONNREFUSED' })
    for (let n = 0; n < 6; n++) people.push(await register(service))
    await until('the others arrived', () => people.every(id => about(receiver, id).length === 1))
    await until('the slow one was asked', () => slow.count() >= 5)
    t.ok(slow.mostOpen() <= 4, 'one receiver takes up a quarter of the concurrency at most')
    await call(service, 'DELETE', `/${slowId}`)
    await until('its breaker is open', async () => {
      await makeDue(service, bad.id)
      return (await api.request({ method: 'GET', url: '/api/v1/admin/breakers', headers: service.admin.authorization })).json().items.some(({ name, state }: { name: string, state: string }) => name === `webhook.${bad.id}` && state === 'open')
    })
    await down.start()
    await makeDue(service, bad.id)
    await until('all arrived', () => people.every(id => about(down, id).length === 1))
    const [first] = about(down, people[0] ?? '')
    t.equal((await settled(service, bad.id, 'delivered')).status, 'delivered')
    t.equal(first?.id, about(receiver, people[0] ?? '')[0]?.id, 'both know it by one id')
    t.equal((await deliveries(service, good.id, '?status=delivered')).length, people.length)
    for (const { id } of [bad, good]) await call(service, 'DELETE', `/${id}`)
  })

  t.test('slow, redirecting and failing receivers are tried again; what they say is not read without end', async t => {
    const odd = await startReceiver(t)
    const { id } = await make(service, { url: odd.url, eventTypes: ['user_deleted'] })
    for (const [answer, reason, status] of [['hang', 'it took too long', null], ['redirect', 'HTTP 307', 307], [500, 'HTTP 500', 500], [404, 'HTTP 404', 404]] as const) {
      odd.answers.splice(0, 2, answer)
      const before = odd.count()
      const { eventId } = (await call(service, 'POST', `/${id}/test`)).json()
      await until(reason, async () => (await deliveries(service, id)).some((item: Record<string, unknown>) => item.eventId === eventId && item.lastError === reason && item.lastStatus === status && item.status === 'pending'))
      t.equal(odd.count(), before + 1, `${reason}: asked once, and nowhere else`)
      odd.answers.splice(0, 1, 200)
      t.equal((await call(service, 'POST', `/${id}/deliveries/${eventId}/retry`)).statusCode, 202)
      await until('it arrived', async () => (await deliveries(service, id)).some((item: Record<string, unknown>) => item.eventId === eventId && item.status === 'delivered'))
    }
    odd.answers.splice(0, 1, 'endless')
    const { eventId } = (await call(service, 'POST', `/${id}/test`)).json()
    await until('it arrived', async () => (await deliveries(service, id)).some((item: Record<string, unknown>) => item.eventId === eventId && item.status === 'delivered'))
    odd.answers.splice(0, 1, 200)
    const before = odd.got.filter(got => got.id === eventId).length
    t.equal((await call(service, 'POST', `/${id}/deliveries/${eventId}/retry`)).statusCode, 202, 'what was delivered may be sent again')
    await until('it arrived again', () => odd.got.filter(got => got.id === eventId).length === before + 1)
    t.equal((await call(service, 'POST', `/${id}/deliveries/${id}/retry`)).statusCode, 404)
    await call(service, 'DELETE', `/${id}`)
  })

  t.test('a receiver that answers 410 is told of no more', async t => {
    const gone = await startReceiver(t)
    gone.answers.splice(0, 1, 410)
    const { id } = await make(service, { url: gone.url, eventTypes: ['user_created'] })
    await register(service)
    t.match(await settled(service, id, 'failed'), { lastStatus: 410 })
    t.match((await call(service, 'GET', `/${id}`)).json(), { isActive: false })
    await register(service)
    t.equal((await deliveries(service, id)).length, 1)
    const [event] = await sql`select actor_id, details from audit_events where details ->> 'action' = 'webhook_disabled'`
    t.match(event, { actor_id: null, details: { webhookId: id, reason: 'gone' } })
  })

  t.test('what is owed is listed page by page, under cursors of this list alone', async t => {
    const { id } = await make(service, { url: `${receiver.url}/pages` })
    for (let n = 0; n < 3; n++) await call(service, 'POST', `/${id}/test`)
    const all = await deliveries(service, id)
    const seen: string[] = []
    let cursor = ''
    do {
      const page: { items: { eventId: string }[], nextCursor: string | null } = (await call(service, 'GET', `/${id}/deliveries?limit=1${cursor}`)).json()
      seen.push(...page.items.map(({ eventId }) => eventId))
      cursor = page.nextCursor === null ? '' : `&cursor=${page.nextCursor}`
    } while (cursor !== '')
    t.same(seen, all.map(({ eventId }: { eventId: string }) => eventId))
    t.same(seen, [...seen].sort().reverse(), 'newest first')
    const { nextCursor } = (await call(service, 'GET', `/${id}/deliveries?limit=1`)).json()
    t.equal((await call(service, 'GET', `/${id}/deliveries?limit=1&status=pending&cursor=${nextCursor}`)).statusCode, 422)
    await call(service, 'DELETE', `/${id}`)
  })

  t.test('the metrics count tries and what waits', async t => {
    const { body } = await api.request({ method: 'GET', url: '/metrics' })
    t.match(body, /^auth_serve_webhook_tries_total\{outcome="delivered"\} [1-9]/m)
    t.match(body, /^auth_serve_webhook_tries_total\{outcome="disabled"\} 1$/m)
    t.match(body, /^auth_serve_webhook_deliveries\{status="failed"\} 1$/m)
    t.match(body, /^auth_serve_webhook_oldest_pending_seconds \d/m)
  })
})

t.test('addresses that are not public', async t => {
  const service = await startService(t, { allowPrivate: false })
  let connections = 0
  const inside = createServer(socket => { connections++; socket.destroy() }).listen(0)
  t.teardown(() => { inside.close() })
  await once(inside, 'listening')
  const address = inside.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0

  t.test('are refused in every spelling when a webhook is made or changed', async t => {
    const { id } = await make(service, { url: 'https://crm.example.com/' })
    const hosts = ['2130706433', '0x7f.1', '0177.0.0.1', '127.1', '[::ffff:127.0.0.1]', '[::1]', '[::]', '0.0.0.0', 'localhost', 'a.localhost', 'LOCALHOST.', '10.0.0.1', '172.16.0.1', '192.168.1.1',
      '169.254.169.254', '100.64.0.1', '168.63.129.16', '224.0.0.1', '255.255.255.255', '[fd00:ec2::254]', '[fe80::1]', '[64:ff9b::a00:1]', '[2002:a00:1::]', '[::7f00:1]', '[ff02::1]', '１２７.0.0.1']
    for (const host of hosts) {
      for (const [method, path] of [['POST', ''], ['PATCH', `/${id}`]] as const) {
        t.match((await call(service, method, path, { url: `https://${host}:${port}/` })).json(), { status: 422, errors: [{ path: '/body/url' }] }, `${method} ${host}`)
      }
    }
    t.equal((await call(service, 'POST', '', { url: 'http://crm.example.com/' })).statusCode, 422, 'nor is http taken')
    await call(service, 'DELETE', `/${id}`)
  })

  t.test('are refused when the connection is made, whatever the name said before', async t => {
    for (const host of ['localhost', '127.0.0.1', '[::ffff:7f00:1]']) {
      const { id } = await make(service, { url: 'https://crm.example.com/', eventTypes: ['user_deleted'] })
      // As after a change of the setting, or of what its name resolves to.
      await service.sql`update webhooks set url = ${`https://${host}:${port}/`} where id = ${id}`
      await call(service, 'POST', `/${id}/test`)
      await until('a try failed', async () => (await deliveries(service, id))[0]?.lastError === 'the URL is not allowed')
      await call(service, 'DELETE', `/${id}`)
    }
    t.equal(connections, 0)
    const found = await new Promise(resolve => { lookupPublic('localhost', { all: true }, (error, addresses) => { resolve({ message: error?.message, addresses }) }) })
    t.match(found, { message: 'the address is not public', addresses: '' })
    for (const address of ['8.8.8.8', '2606:4700:4700::1111']) t.ok(isPublicAddress(address))
    for (const address of ['', 'x', '4000::1', '192.0.2.1', '::ffff:8.8.8.8']) t.notOk(isPublicAddress(address), address)
    const literal = await new Promise(resolve => { lookupPublic('8.8.8.8', {}, (error, found, family) => { resolve({ error, found, family }) }) })
    t.same(literal, { error: null, found: '8.8.8.8', family: 4 })
  })
})

t.test('what is over is removed, what is owed to nobody dropped, and what is given up says so', async t => {
  const service = await startService(t, { retrySeconds: 1, retentionDays: 1 }, { maintenance: { intervalMs: 30 } })
  const { sql, api } = service
  const receiver = await startReceiver(t)
  receiver.answers.splice(0, 1, 500)
  const { id } = await make(service, { url: receiver.url, eventTypes: ['user_created'] })
  const userId = await register(service)
  await until('a try failed', async () => (await deliveries(service, id))[0]?.lastStatus === 500)
  await sql`update webhook_deliveries set retries_since = now() - interval '2 seconds', next_attempt_at = now() where webhook_id = ${id}`
  t.match(await settled(service, id, 'failed'), { lastError: 'HTTP 500' })
  t.ok(api.log.lines().some(line => line.msg === 'a webhook did not take an event, which is given up' && line.webhookId === id))
  receiver.answers.splice(0, 1, 200)
  const [delivery] = await deliveries(service, id)
  t.equal((await call(service, 'POST', `/${id}/deliveries/${delivery.eventId}/retry`)).statusCode, 202)
  await settled(service, id, 'delivered')
  t.ok(about(receiver, userId).length >= 3)
  await sql`update webhook_deliveries set next_attempt_at = now() - interval '2 days' where webhook_id = ${id}`
  await until('it is removed', async () => (await deliveries(service, id)).length === 0)

  await sql`insert into webhook_deliveries (event_id, webhook_id, occurred_at, event_type) values (gen_random_uuid(), ${id}, now(), 'user_created')`
  await until('an event that is not in the trail any more is dropped', async () => (await deliveries(service, id)).length === 0)
  await call(service, 'PATCH', `/${id}`, { isActive: false })
  const before = receiver.count()
  await sql`insert into webhook_deliveries (event_id, webhook_id, occurred_at, event_type) select id, ${id}, occurred_at, type from audit_events where type = 'user_created'`
  await sql`insert into webhook_deliveries (event_id, webhook_id, occurred_at, event_type) values (gen_random_uuid(), gen_random_uuid(), now(), 'user_created')`
  await until('what is owed to nobody is dropped', async () => (await sql`select 1 from webhook_deliveries where status = 'pending'`).length === 0)
  t.equal(receiver.count(), before)
})

t.test('what a receiver that stays away was owed for too long is given up, without a try for each', async t => {
  const service = await startService(t, { pauseMs: 3_600_000, threshold: 1 }, { maintenance: { intervalMs: 30 } })
  const { sql, api } = service
  const receiver = await startReceiver(t)
  await receiver.stop()
  const { id } = await make(service, { url: receiver.url, eventTypes: ['user_created'] })
  await register(service)
  await until('a try failed', async () => (await deliveries(service, id))[0]?.lastError === 'ECONNREFUSED')
  await sql`insert into audit_events (id, type, outcome) select gen_random_uuid(), 'user_created', 'success' from generate_series(1, 252)`
  // Some of them may be leased at this moment, and are given back untried.
  await sql`update webhook_deliveries set next_attempt_at = now() - case when event_id in (select event_id from webhook_deliveries where last_error is null order by event_id limit 250) then interval '4 days' else interval '2 days' end where last_error is null`
  const countOf = async (status: string) => (await sql`select 1 from webhook_deliveries where webhook_id = ${id} and status = ${status}`).length
  await until('they are given up', async () => await countOf('failed') === 250)
  t.equal(await countOf('pending'), 3, 'not what has time left')
  t.match((await deliveries(service, id, '?status=failed'))[0], { attempts: 0, lastStatus: null, lastError: 'the receiver was away' })
  t.ok(api.log.lines().some(line => line.msg === 'webhooks that are away did not take events, which are given up' && Number(line.deliveries) > 0))
})

t.test('a secret outlives a change of AUTH_SECRET; one that is lost is told', async t => {
  const service = await startService(t)
  const receiver = await startReceiver(t)
  const { id } = await make(service, { url: receiver.url, eventTypes: ['user_deleted'] })
  const [before] = await service.sql`select secret from webhooks where id = ${id}`
  await service.api.app.close()
  const other = 'another-secret-of-the-suite-that-is-long-enough'
  const options = { webhooks: { allowPrivate: true, pollMs: 20 }, maintenance: { intervalMs: 30 } }
  const rolling = await createTestApp(t, { ...options, secrets: [other, testSecret] }, service.api.database)
  await until('it is sealed again', async () => (await service.sql`select 1 from webhooks where id = ${id} and secret <> ${before?.secret}`).length === 1)
  await rolling.app.close()
  const lost = await createTestApp(t, { ...options, secrets: ['a-third-secret-of-the-suite-that-is-long-enough'] }, service.api.database)
  await until('it is told', () => lost.log.text().includes('the secret of a webhook is sealed under an AUTH_SECRET that is not configured'))
})

t.test('options that are not valid are refused', async t => {
  await t.rejects(createTestApp(t, { webhooks: { concurrency: 0 } }), /auth-serve webhooks: invalid options: \/concurrency/)
})

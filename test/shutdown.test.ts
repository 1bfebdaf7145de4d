import { once } from 'node:events'
import { Agent, request, type IncomingMessage } from 'node:http'
import { connect, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { testSecret } from './helpers/app.ts'
import { createTestDatabase } from './helpers/database.ts'
import { tcpUrlOf } from './helpers/proxy.ts'
import { startService, temporaryFolder, type Service } from './helpers/service.ts'
import { until } from './helpers/until.ts'

async function start (t: Test, settings: Record<string, string> = {}): Promise<Service> {
  return await startService(t, { AUTH_SECRET: testSecret, RATE_LIMIT_ENABLED: 'false', ARGON2_MEMORY_KIB: '1024', ARGON2_TIME_COST: '1', ...settings })
}

const onServer = async (t: Test) => ({ DATABASE_URL: await tcpUrlOf(t, await createTestDatabase(t)) })
const embedded = async (t: Test) => ({ DATA_DIR: await temporaryFolder(t) })

interface Answer { status: number | undefined, close: boolean }

async function send (url: string, agent: Agent, body?: string): Promise<Answer> {
  const outgoing = request(url, { agent, method: body === undefined ? 'GET' : 'POST', headers: { 'content-type': 'application/json' } })
  outgoing.end(body)
  const [response]: IncomingMessage[] = await once(outgoing, 'response')
  response?.resume()
  if (response !== undefined) await once(response, 'end')
  return { status: response?.statusCode, close: response?.headers.connection === 'close' }
}

/** A client that keeps its connection and sends one request after the other, until it is told to go. */
async function keepAsking (url: string, body: string | undefined, told: (answer: Answer) => void): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  try {
    for (let answer: Answer = { status: 0, close: false }; !answer.close; told(answer)) answer = await send(url, agent, body)
  } finally {
    agent.destroy()
  }
}

interface Raw { socket: Socket, text: string }

async function open (t: Test, url: string, bytes: string): Promise<Raw> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  const raw: Raw = { socket, text: '' }
  socket.setEncoding('utf8').on('data', (chunk: string) => { raw.text += chunk }).on('error', () => {})
  t.teardown(() => socket.destroy())
  await once(socket, 'connect')
  socket.write(bytes)
  return raw
}

const lines = (service: Service): Record<string, unknown>[] => service.output().split('\n').filter(line => line.startsWith('{')).map(line => JSON.parse(line))
const credentials = JSON.stringify({ email: 'nobody@example.com', password: 'the engine weaves algebra' })
const partialLogin = `POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${credentials.length}\r\n\r\n${credentials.slice(0, 10)}`

for (const [signal, database] of [['SIGTERM', embedded], ['SIGINT', onServer]] as const) {
  t.test(`${signal} under load loses no request and ends with 0`, async t => {
    const service = await start(t, await database(t))
    const answers: Answer[] = []
    const clients = Promise.all([
      ...Array.from({ length: 3 }, async () => { await keepAsking(`${service.url}/health`, undefined, answer => answers.push(answer)) }),
      ...Array.from({ length: 3 }, async () => { await keepAsking(`${service.url}/api/v1/auth/login`, credentials, answer => answers.push(answer)) })
    ])
    await until('the load is on', () => answers.length > 50)
    const slow = await open(t, service.url, partialLogin)
    const idle = await open(t, service.url, 'GET /health HTTP/1.1\r\nHost: x\r\n\r\n')
    const never = await open(t, service.url, 'GET /health HTTP/1.1\r\n')
    await until('a kept connection was answered', () => idle.text.includes('{"status":"ok"}'))
    const before = answers.length

    service.child.kill(signal)
    await clients
    t.ok(answers.length > before, 'requests went on being answered')
    t.same([...new Set(answers.map(({ status }) => status))].filter(status => ![200, 401, 429].includes(status ?? 0)), [], 'and rightly so')
    slow.socket.write(credentials.slice(10))
    t.equal(await service.exited, 0)
    t.match(slow.text, /^HTTP\/1\.1 (401|429) [^]*connection: close/i, 'a slow one was waited for')
    t.equal(never.text, '', 'a connection without a whole request was not')
    t.notMatch(service.output(), /"level":"?(error|fatal|50|60)/)
    t.equal(lines(service).filter(({ event }) => event === 'sys_shutdown').length, 1)
  })
}

t.test('readiness turns 503 first, while requests are still served', async t => {
  const service = await start(t, await onServer(t))
  const slow = await open(t, service.url, partialLogin)
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.teardown(() => agent.destroy())
  t.equal((await send(`${service.url}/readiness`, agent)).status, 200)
  service.child.kill('SIGTERM')
  const seen: Array<number | undefined> = []
  await until('it is unready', async () => {
    seen.push((await send(`${service.url}/readiness`, agent)).status)
    return seen.at(-1) === 503
  })
  t.equal((await send(`${service.url}/health`, new Agent())).status, 200)
  slow.socket.write(credentials.slice(10))
  t.equal(await service.exited, 0)
  t.match(slow.text, /^HTTP\/1\.1 401 /)
})

t.test('a request that hangs is cut before the time is over, and the rest is closed in order', async t => {
  const service = await start(t, { ...await onServer(t), SHUTDOWN_TIMEOUT_MS: '2000' })
  const hung = await open(t, service.url, partialLogin)
  const closed = once(hung.socket, 'close')
  await until('it is in flight', async () => await fetch(`${service.url}/health`).then(response => response.ok))
  service.child.kill('SIGTERM')
  t.equal(await service.exited, 0)
  await closed
  t.equal(hung.text, '')
  t.equal(lines(service).filter(({ msg }) => String(msg).includes('were cut')).length, 1)
  t.notMatch(service.output(), /killed by timeout/)
})

import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import Fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { errorsPlugin } from '../../plugins/errors.ts'
import { loggingPlugin } from '../../plugins/logging.ts'
import { serverOptions, type RootSettings } from '../../src/server-options.ts'
import { createLogCapture } from '../helpers/log-capture.ts'

async function listen (t: Test, settings: RootSettings = {}): Promise<{ app: FastifyInstance, port: number, ips(): unknown[] }> {
  const log = createLogCapture()
  const app: FastifyInstance = Fastify({ ...serverOptions(settings), loggerInstance: log.logger })
  await app.register(async scope => {
    await scope.register(loggingPlugin)
    await scope.register(errorsPlugin)
    scope.get('/seen', async ({ ip, protocol, host }) => ({ ip, protocol, host }))
    scope.post('/echo', async request => request.body)
  })
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  t.teardown(async () => { await app.close() })
  return { app, port: Number(new URL(url).port), ips: () => log.lines().map(line => line.ipAddress) }
}

interface Raw { socket: Socket, text: string, closed: Promise<string> }

function open (t: Test, port: number, bytes: string): Raw {
  const socket = connect(port, '127.0.0.1')
  const raw: Raw = { socket, text: '', closed: once(socket, 'close').then(() => raw.text) }
  socket.setEncoding('utf8').on('data', (chunk: string) => { raw.text += chunk }).on('error', () => {})
  socket.write(bytes)
  t.teardown(() => socket.destroy())
  return raw
}

function problemOf (t: Test, answer: string, status: number, code: string): void {
  const [head = '', body = ''] = answer.split('\r\n\r\n', 2)
  t.match(head, new RegExp(`^HTTP/1.1 ${status} `))
  t.match(head, /content-type: application\/problem\+json/i)
  t.match(head, /connection: close/i)
  const problem = JSON.parse(body)
  t.match(problem, { status, code })
  t.match(head, new RegExp(`x-request-id: ${problem.requestId}`, 'i'))
}

t.test('what is no proper request gets a problem on the bare socket', async t => {
  const { port } = await listen(t)
  const answer = async (bytes: string): Promise<string> => await open(t, port, bytes).closed
  problemOf(t, await answer(`GET /seen HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${'a'.repeat(17 * 1024)}\r\n\r\n`), 431, 'HEADERS_TOO_LARGE')
  problemOf(t, await answer(`GET /${'a'.repeat(17 * 1024)} HTTP/1.1\r\nHost: x\r\n\r\n`), 431, 'HEADERS_TOO_LARGE')
  for (const bytes of [
    'nonsense\r\n\r\n',
    'GET /seen HTTP/9.9\r\nHost: x\r\n\r\n',
    'GET /seen HTTP/1.1\r\nHost: x\r\nBad Header: y\r\n\r\n',
    'POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n',
    '\u0016\u0003\u0001\u0002'
  ]) problemOf(t, await answer(bytes), 400, 'MALFORMED_REQUEST')
})

t.test('clients that are slow are sent away', async t => {
  const { port } = await listen(t, { headersTimeoutMs: 200, requestTimeoutMs: 400, connectionTimeoutMs: 5000, keepAliveTimeoutMs: 200 })
  const headers = open(t, port, 'GET /seen HTTP/1.1\r\nHost: x\r\n')
  const drip = setInterval(() => { headers.socket.write('X-Drip: 1\r\n') }, 50)
  t.teardown(() => clearInterval(drip))
  problemOf(t, await headers.closed, 400, 'MALFORMED_REQUEST')
  clearInterval(drip)
  const body = open(t, port, 'POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{')
  problemOf(t, await body.closed, 400, 'MALFORMED_REQUEST')
  const silent = open(t, port, '')
  await silent.closed
  const idle = open(t, port, 'GET /seen HTTP/1.1\r\nHost: x\r\n\r\n')
  t.match(await idle.closed, /^HTTP\/1.1 200 /, 'a connection without a further request')
})

t.test('a connection on which nothing moves is closed', async t => {
  const { port } = await listen(t, { connectionTimeoutMs: 200 })
  t.equal(await open(t, port, 'GET /seen HTTP/1.1\r\nHost: x\r\n').closed, '')
})

t.test('X-Forwarded-* change nothing unless a proxy is trusted', async t => {
  const forwarded = { 'x-forwarded-for': '198.51.100.7', 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https', forwarded: 'for=198.51.100.8;host=evil.example' }
  const direct = await listen(t)
  const seen = await fetch(`http://127.0.0.1:${direct.port}/seen`, { headers: forwarded })
  t.same(await seen.json(), { ip: '127.0.0.1', protocol: 'http', host: `127.0.0.1:${direct.port}` })
  t.same(new Set(direct.ips().filter(ip => ip !== undefined)), new Set(['127.0.0.1']))

  const trusting = await listen(t, { trustProxy: ['127.0.0.1'] })
  t.match(await (await fetch(`http://127.0.0.1:${trusting.port}/seen`, { headers: forwarded })).json(), { ip: '198.51.100.7', protocol: 'https' })
  t.ok(trusting.ips().includes('198.51.100.7'), 'the log follows')

  const other = await listen(t, { trustProxy: ['10.0.0.0/8'] })
  t.match(await (await fetch(`http://127.0.0.1:${other.port}/seen`, { headers: forwarded })).json(), { ip: '127.0.0.1', protocol: 'http' }, 'only the named ones')
})

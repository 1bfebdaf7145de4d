import { once } from 'node:events'
import { connect } from 'node:net'
import { DrizzleQueryError } from 'drizzle-orm/errors'
import Fastify, { LogController, type FastifyBaseLogger, type FastifyInstance, type FastifyRequest, type FastifyServerOptions } from 'fastify'
import { pino } from 'pino'
import { Type } from '@sinclair/typebox'
import t from 'tap'
import { loggingPlugin, type LoggingOptions } from '../../plugins/logging.ts'
import { createLogger } from '../../src/logging/create-logger.ts'
import { requestIdOf } from '../../src/request-id.ts'
import { Password } from '../../src/schemas/text.ts'

type Line = Record<string, unknown>

/** A stream that keeps what is written to it. */
function capture () {
  let text = ''
  return {
    write (line: string) { text += line },
    text: () => text,
    lines: (): Line[] => text.split('\n').filter(line => line !== '').map(line => JSON.parse(line)),
    named: (msg: string): Line[] => text.split('\n').filter(line => line !== '').map((line): Line => JSON.parse(line)).filter(line => line.msg === msg)
  }
}

/** An app as the standalone service makes it. */
function standalone (level = 'info') {
  const log = capture()
  const loggerInstance: FastifyBaseLogger = createLogger({ level, pretty: false, destination: log })
  const app = Fastify({ loggerInstance, ajv, genReqId: requestIdOf, logController: new LogController({ disableRequestLogging: true }) })
  return { app, log }
}

/** An app of somebody else, with Fastify's own logging. */
function host (logger: FastifyServerOptions['logger'], options: FastifyServerOptions = {}): FastifyInstance {
  return Fastify({ logger, ajv, ...options })
}

/** An app of somebody else, with a logger that was made before. */
function hostWith (loggerInstance: FastifyBaseLogger): FastifyInstance {
  return Fastify({ loggerInstance, ajv })
}

/** What the input plugin does for the routes of the service: it knows our keywords and strips nothing. */
const ajv: FastifyServerOptions['ajv'] = { customOptions: { keywords: ['x-sensitive'], removeAdditional: false } }

const lineKeys = ['level', 'time', 'service', 'pid', 'requestId', 'correlationId', 'method', 'route', 'status', 'durationMs', 'ipAddress', 'userAgent', 'msg']
const uuidv7 = /^[0-9a-f-]{14}7/

async function withRoutes (app: FastifyInstance, options: LoggingOptions = {}): Promise<FastifyInstance> {
  await app.register(loggingPlugin, options)
  app.get('/users/:id', async request => {
    request.log.info('inside')
    return { id: 'x' }
  })
  app.get('/wrong', async (_request, reply) => { reply.code(422).send({}) })
  app.get('/broken', async () => { throw new Error('broken') })
  return app
}

t.test('a request has exactly one line, of exactly these fields', async t => {
  const { app, log } = standalone()
  await withRoutes(app)
  const answer = await app.inject({ url: '/users/7?token=canary', headers: { 'x-request-id': 'r-1', 'x-correlation-id': 'c-1', 'user-agent': 'test' } })
  t.equal(answer.headers['x-request-id'], 'r-1')
  const [inside, line, ...more] = log.lines()
  t.same(more, [])
  t.same(Object.keys(inside ?? {}), ['level', 'time', 'service', 'pid', 'requestId', 'correlationId', 'msg'])
  t.same(Object.keys(line ?? {}), lineKeys)
  t.match(line, { level: 'info', requestId: 'r-1', correlationId: 'c-1', method: 'GET', route: '/users/:id', status: 200, durationMs: Number, ipAddress: '127.0.0.1', userAgent: 'test', msg: 'request completed' })
  t.notMatch(log.text(), 'canary')
})

t.test('facts that became known stand in the line', async t => {
  const { app, log } = standalone()
  await app.register(loggingPlugin)
  app.get('/', async request => {
    app.authServeLogging.add(request, { userId: 'u-1', sessionId: 's-1' })
    app.authServeLogging.add(request, { errorCode: 'FORBIDDEN' })
    return app.authServeLogging.requestId(request)
  })
  const answer = await app.inject('/')
  t.same(Object.keys(log.lines()[0] ?? {}), [...lineKeys.slice(0, -1), 'userId', 'sessionId', 'errorCode', 'msg'])
  t.match(log.lines(), [{ userId: 'u-1', sessionId: 's-1', errorCode: 'FORBIDDEN', requestId: answer.body }])
  t.equal(answer.headers['x-request-id'], answer.body)
})

t.test('every answer of the scope carries its id, and the level follows the status', async t => {
  const { app, log } = standalone()
  await withRoutes(app)
  for (const [url, status, level, route] of [['/users/1', 200, 'info', '/users/:id'], ['/wrong', 422, 'info', '/wrong'], ['/broken', 500, 'error', '/broken'], ['/nowhere/canary', 404, 'info', undefined]] as const) {
    const answer = await app.inject({ url, headers: { 'x-request-id': 'not acceptable!' } })
    t.equal(answer.statusCode, status)
    t.match(answer.headers['x-request-id'], uuidv7)
    const line = log.named('request completed').at(-1)
    t.match(line, { status, level, requestId: answer.headers['x-request-id'], correlationId: answer.headers['x-request-id'] })
    t.equal(line?.route, route)
  }
  t.notMatch(log.text(), 'canary')
})

t.test('an answer that a hook of the host gave before ours carries the id as well', async t => {
  const { app, log } = standalone()
  app.addHook('onRequest', async (_request, reply) => { await reply.code(401).send({}) })
  await withRoutes(app)
  const answer = await app.inject('/users/1')
  t.match(log.named('request completed'), [{ status: 401, requestId: answer.headers['x-request-id'] }])
})

t.test('no secret of a request reaches any line, whatever the logger', async t => {
  const jwt = 'eyJhbGciOiJFUzI1NiJ9.eyJjYW5hcnkiOjF9.c2lnbmF0dXJl'
  const log = capture()
  const plain = capture()
  for (const app of [host({ level: 'trace', stream: plain }), hostWith(createLogger({ level: 'trace', pretty: false, destination: log }))]) {
    await app.register(loggingPlugin)
    app.post('/login', { schema: { body: Type.Object({ password: Password() }) } }, async request => {
      request.log.info(`got ${jwt}`)
      request.log.debug(app.authServeLogging.describeInput(request), 'input')
      throw new DrizzleQueryError('select secretcolumn from users where x = $1', ['canary'], Object.assign(new Error('canary'), { code: '22P02' }))
    })
    for (const payload of [{ password: 'canary', canary: 'canary' }, { canary: 'canary' }]) {
      await app.inject({ method: 'POST', url: `/login?access_token=${jwt}&canary=canary`, headers: { authorization: 'Bearer canary', cookie: 'canary', 'user-agent': `agent ${jwt}` }, payload })
    }
  }
  for (const { text, named } of [log, plain]) {
    t.match(named('request completed').filter(line => 'durationMs' in line), [{ status: 500, route: '/login' }, { status: 400 }])
    for (const word of ['canary', jwt, 'eyJ', 'secretcolumn']) t.notMatch(text(), word)
    t.match(text(), /DrizzleQueryError.*22P02/)
    t.match(named('input'), [{ body: { password: '[masked]', unknownProperties: 1 }, query: { unknownProperties: 2 } }])
  }
})

t.test('CRLF and JSON in what a client sends stay inside their strings', async t => {
  const { app, log } = standalone()
  await withRoutes(app)
  const forged = 'x\r\n{"level":"fatal","msg":"forged"}\u0000\u2028'
  await app.inject({ url: '/wrong', headers: { 'user-agent': forged, 'x-request-id': forged } })
  await app.inject({ url: '/wrong', headers: { 'user-agent': 'y'.repeat(1000) } })
  t.match(log.lines(), [{ userAgent: forged, requestId: uuidv7 }, { userAgent: `${'y'.repeat(256)}…` }])
  t.equal(log.lines().length, 2)
})

t.test('an aborted request has its line too, and only one', async t => {
  const { app, log } = standalone()
  await app.register(loggingPlugin)
  t.teardown(() => app.close())
  const closed = new Promise<void>(resolve => { app.addHook('onRequestAbort', async _request => { resolve() }) })
  let finish = (): void => {}
  app.get('/slow', async () => await new Promise(resolve => { finish = () => resolve({}) }))
  await app.listen({ port: 0, host: '127.0.0.1' })
  const address = app.server.address()
  const socket = connect(typeof address === 'object' ? address?.port ?? 0 : 0, '127.0.0.1')
  const arrived = once(app.server, 'request')
  socket.write('GET /slow HTTP/1.1\r\nhost: x\r\n\r\n')
  await arrived
  socket.destroy()
  await closed
  finish()
  await app.close()
  const lines = log.lines().filter(line => line.method !== undefined)
  t.match(lines, [{ msg: 'request aborted', level: 'info', route: '/slow', ipAddress: '127.0.0.1' }])
  t.equal(lines.length, 1)
  t.notOk('status' in Object(lines[0]))
})

t.test('a scope inside a host leaves the host\'s lines and ids alone', async t => {
  const without = capture()
  const log = capture()
  const shapeOf = (line: Line) => ({ ...line, time: 0, responseTime: 0 })
  async function build (stream: ReturnType<typeof capture>, plugged: boolean) {
    const app = host({ stream }, { genReqId: () => 'host-1' })
    app.get('/host', async () => { throw new Error('own') })
    await app.register(async scope => {
      if (plugged) await scope.register(loggingPlugin)
      scope.get('/', async request => request.id)
    }, { prefix: '/auth' })
    return app
  }
  const bare = await build(without, false)
  const app = await build(log, true)
  for (const url of ['/host?a=1', '/nowhere']) {
    await bare.inject(url)
    const answer = await app.inject(url)
    t.equal(answer.headers['x-request-id'], undefined)
  }
  t.same(log.lines().map(shapeOf), without.lines().map(shapeOf))
  t.equal(app.hasDecorator('authServeLogging'), false)
  const before = log.lines().length
  const answer = await app.inject({ url: '/auth?token=canary', headers: { 'x-request-id': 'r-1' } })
  t.equal(answer.body, 'host-1')
  t.equal(answer.headers['x-request-id'], 'r-1')
  const own = log.lines().slice(before)
  t.ok(own.every(line => line.requestId === 'r-1' && line.reqId === 'host-1'), 'our lines name both ids')
  t.match(own.find(line => 'req' in line)?.req, { method: 'GET', route: '/auth' })
  t.notMatch(log.text(), 'canary')
})

t.test('two instances live side by side, nested ones tell a request once', async t => {
  const { app, log } = standalone()
  await app.register(async one => {
    await one.register(loggingPlugin, { level: 'error' })
    one.get('/quiet', async () => ({}))
    one.get('/spoken', { logLevel: 'info' }, async () => ({}))
  }, { prefix: '/one' })
  await app.register(async two => {
    await two.register(loggingPlugin, { decorator: 'other' })
    await two.register(async inner => {
      await inner.register(loggingPlugin)
      inner.get('/in', async request => {
        inner.authServeLogging.add(request, { userId: 'u-1' })
        return {}
      })
    })
    t.ok(two.hasDecorator('other'))
    t.notOk(two.hasDecorator('authServeLogging'))
  }, { prefix: '/two' })
  for (const url of ['/one/quiet', '/one/spoken', '/two/in']) t.match((await app.inject(url)).headers['x-request-id'], uuidv7)
  const lines = log.lines()
  t.match(lines, [{ route: '/one/spoken' }, { route: '/two/in', userId: 'u-1' }])
  t.equal(lines.length, 2)
  t.equal(log.text().match(/requestId/g)?.length, 2)
})

t.test('it asks nothing of the host\'s logger', async t => {
  const silent = await withRoutes(host(false))
  t.match((await silent.inject('/users/1')).headers['x-request-id'], uuidv7)
  silent.authServeLogging.event(null, { type: 'sys_startup', outcome: 'success' })

  const log = capture()
  const custom = await withRoutes(hostWith(pino({ messageKey: 'message', errorKey: 'failure', base: null }, log)))
  await custom.inject('/broken')
  t.match(log.lines().filter(line => 'durationMs' in line), [{ level: 50, message: 'request completed', route: '/broken', status: 500 }])

  const seen = capture()
  const chained = await withRoutes(host({ stream: seen }, { childLoggerFactory: (logger, bindings, options) => logger.child({ ...bindings, tenant: 'a' }, options) }))
  await chained.inject('/users/1')
  t.match(seen.named('inside'), [{ tenant: 'a', requestId: uuidv7 }], 'its child logger factory goes on working')
})

t.test('wrong options stop the start', async t => {
  await t.rejects(async () => await host(false).register(loggingPlugin, JSON.parse('{"level":"loud"}')), TypeError)
  await t.rejects(async () => await host(false).register(loggingPlugin, JSON.parse('{"unknown":1}')), TypeError)
})

t.test('a security event is one line under its OWASP name', async t => {
  const { app, log } = standalone()
  await app.register(loggingPlugin)
  app.get('/', async request => {
    app.authServeLogging.event(request, { type: 'authn_login_fail', outcome: 'failure', targetId: 'u-1', requestId: 'ignored', userAgent: 'ignored', details: { attempts: 3, locked: false, by: null, note: 'Bearer canary', list: ['canary'], object: { canary: 1 } } })
    return {}
  })
  const answer = await app.inject({ url: '/', headers: { 'user-agent': 'test' } })
  app.authServeLogging.event(null, { type: 'user_created', outcome: 'success', actorId: 'u-2', targetId: null, sessionId: 's-1', requestId: 'r-1', ipAddress: '::1', userAgent: null })
  app.authServeLogging.event(null, { type: 'sys_startup', outcome: 'success' })
  const events = log.named('security event')
  t.same(Object.keys(events[0] ?? {}), ['level', 'time', 'service', 'pid', 'requestId', 'correlationId', 'event', 'outcome', 'targetId', 'ipAddress', 'userAgent', 'details', 'msg'])
  t.match(events[0], { level: 'warn', event: 'authn_login_fail', outcome: 'failure', requestId: answer.headers['x-request-id'], ipAddress: '127.0.0.1', userAgent: 'test' })
  t.same(events[0]?.details, { attempts: 3, locked: false, by: null, note: '[redacted]', list: '[array]', object: '[object]' })
  t.same(Object.keys(events[1] ?? {}), ['level', 'time', 'service', 'pid', 'requestId', 'event', 'outcome', 'actorId', 'sessionId', 'ipAddress', 'msg'])
  t.match(events[1], { level: 'info', event: 'user_created', requestId: 'r-1' })
  t.same(Object.keys(events[2] ?? {}), ['level', 'time', 'service', 'pid', 'event', 'outcome', 'msg'])
})

t.test('input is described by the schemas of its route', async t => {
  const { app } = standalone()
  await app.register(loggingPlugin)
  app.addSchema({ $id: 'Shared', ...Type.Object({ pin: Type.String({ 'x-sensitive': true }), name: Type.String() }) })
  const logging = app.authServeLogging
  const paths = ['/body/name', '/body/canary', '/query/limit', '/query/canary', '/params/id', '/headers/x', '/canary']
  const schema = { body: Type.Unsafe({ $ref: 'Shared#' }), querystring: Type.Object({ limit: Type.Optional(Type.Integer()) }), params: Type.Object({ id: Type.String() }) }
  const handler = async (request: FastifyRequest) => ({ ...logging.describeInput(request), paths: paths.map(path => logging.maskPath(request, path)) })
  app.post('/a/:id', { schema }, handler)
  app.post('/media', { schema: { body: { content: { 'application/json': { schema: { $ref: 'Shared#' } } } } } }, handler)
  app.get('/bare', handler)
  const payload = { pin: 'canary', name: 'n', canary: 1 }
  for (let times = 0; times < 2; times++) {
    t.same((await app.inject({ method: 'POST', url: '/a/7?limit=5', payload })).json(), {
      body: { pin: '[masked]', name: 'n', unknownProperties: 1 },
      query: { limit: 5 },
      params: { id: '7' },
      paths: ['/body/name', '/body/[unknown]', '/query/limit', '/query/[unknown]', '/params/id', '/headers/[unknown]', '/[unknown]']
    })
  }
  t.match((await app.inject({ method: 'POST', url: '/media', payload })).json(), { body: { pin: '[masked]', name: 'n', unknownProperties: 1 } })
  t.match((await app.inject('/bare?canary=1')).json(), { query: { unknownProperties: 1 }, params: {}, paths: ['/body/[unknown]'] })
})

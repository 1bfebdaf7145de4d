import Fastify, { type FastifyBaseLogger, type FastifyInstance, type FastifyRequest } from 'fastify'
import { pino } from 'pino'
import t from 'tap'
import { loggingPlugin, type LoggingOptions } from '../../plugins/logging.ts'
import { createLogger } from '../../src/logging/create-logger.ts'
import { installLevelSwitch, levelSignal } from '../../src/logging/level-switch.ts'
import { until } from '../helpers/until.ts'

function capture () {
  const lines: string[] = []
  return { write (line: string) { lines.push(JSON.parse(line).msg) }, take: () => lines.splice(0) }
}

/** A request that waits inside its handler; `end` lets it go. */
async function liveRequest (scope: FastifyInstance, app: FastifyInstance, url = '/slow') {
  let end = (): void => {}
  const begun = new Promise<FastifyRequest>(resolve => {
    scope.get('/slow', async request => {
      resolve(request)
      return await new Promise(_resolve => { end = () => _resolve({}) })
    })
  })
  await app.ready()
  const answer = app.inject(url).then(() => {})
  return { request: await begun, end: async () => { end(); await answer } }
}

/** An app of somebody else, with a logger that was made before. */
function hostWith (loggerInstance: FastifyBaseLogger): FastifyInstance {
  return Fastify({ loggerInstance })
}

async function hostWithScope (options: LoggingOptions = {}) {
  const log = capture()
  const app = hostWith(createLogger({ level: 'info', pretty: false, destination: log }))
  let scope: FastifyInstance | undefined
  await app.register(async inner => {
    await inner.register(loggingPlugin, options)
    inner.get('/quiet', { logLevel: 'error' }, async request => { request.log.warn('quiet'); return {} })
    scope = inner
  })
  if (scope === undefined) throw new Error('not registered')
  return { app, scope, log }
}

for (const options of [{}, { level: 'warn' }] as const) {
  t.test(`the level changes for a live request and its children, and for this scope alone (${JSON.stringify(options)})`, async t => {
    const { app, scope, log } = await hostWithScope(options)
    const live = await liveRequest(scope, app)
    const logging = scope.authServeLogging
    t.equal(logging.level, options.level ?? 'info')
    const child = live.request.log.child({ part: 'a' })
    log.take()
    live.request.log.debug('before')
    logging.setLevel('debug')
    live.request.log.debug('after')
    child.debug('of a child')
    app.log.debug('of the host')
    t.same(log.take(), ['after', 'of a child'])
    t.equal(logging.level, 'debug')
    logging.setLevel('error')
    live.request.log.warn('unheard')
    child.warn('unheard')
    logging.event(null, { type: 'authn_login_fail', outcome: 'failure' })
    app.log.info('of the host')
    await live.end()
    await app.inject('/quiet')
    logging.setLevel('trace')
    await app.inject('/quiet')
    t.same(log.take().filter(msg => !/request/.test(msg)), ['of the host'], 'a route with a level of its own keeps it')
    t.throws(() => logging.setLevel(JSON.parse('"loud"')), TypeError)
    t.equal(logging.level, 'trace')
  })
}

t.test('without a level of its own a scope follows the logger of its app, also in live requests', async t => {
  const { app, scope, log } = await hostWithScope()
  const live = await liveRequest(scope, app)
  log.take()
  app.log.level = 'debug'
  live.request.log.debug('heard')
  app.log.level = 'warn'
  live.request.log.info('unheard')
  t.same(log.take(), ['heard'])
  await live.end()
})

t.test('a scope within a scope follows it until it has a level of its own', async t => {
  const log = capture()
  const app = hostWith(createLogger({ level: 'info', pretty: false, destination: log }))
  await app.register(loggingPlugin, { level: 'warn' })
  let inner: FastifyInstance | undefined
  await app.register(async scope => {
    await scope.register(loggingPlugin, { decorator: 'innerLogging' })
    inner = scope
  })
  const live = await liveRequest(inner ?? app, app)
  const say = (...words: string[]): void => { for (const word of words) live.request.log.info(word) }
  say('unheard')
  app.authServeLogging.setLevel('info')
  say('heard')
  const innerLogging = inner?.getDecorator<typeof app.authServeLogging>('innerLogging')
  innerLogging?.setLevel('error')
  say('unheard')
  app.authServeLogging.setLevel('trace')
  say('unheard')
  t.same(log.take(), ['heard'])
  await live.end()
})

t.test('a factory of the host between them that changes the logger gets levels as well', async t => {
  const log = capture()
  const base = pino({ level: 'info' }, log)
  const app = hostWith(base)
  await app.register(loggingPlugin)
  const ours = app.childLoggerFactory
  const tenant = base.child({ tenant: 'a' })
  app.setChildLoggerFactory(function (_logger, bindings, options, raw) { return ours.call(app, tenant, bindings, options, raw) })
  app.get('/', async request => { request.log.debug('heard'); return {} })
  await app.inject('/')
  app.authServeLogging.setLevel('debug')
  await app.inject('/')
  t.same(log.take().filter(msg => msg === 'heard').length, 1)
})

t.test('SIGUSR2 switches between debug and the level of the start', async t => {
  const log = capture()
  const logger = createLogger({ level: 'warn', pretty: false, destination: log })
  const child = logger.child({ a: 1 })
  const listeners = process.listenerCount(levelSignal)
  const remove = installLevelSwitch(logger)
  process.kill(process.pid, levelSignal)
  await until('the level is debug', () => logger.level === 'debug')
  child.debug('heard')
  process.kill(process.pid, levelSignal)
  await until('the level is that of the start', () => logger.level === 'warn')
  child.info('unheard')
  t.same(log.take(), ['log level changed', 'heard', 'log level changed'])
  remove()
  t.equal(process.listenerCount(levelSignal), listeners)
})

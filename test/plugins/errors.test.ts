import { Type } from '@sinclair/typebox'
import Fastify from 'fastify'
import t from 'tap'
import { errorsPlugin } from '../../plugins/errors.ts'
import { CodedError, errorCatalogue, type ErrorCode } from '../../src/errors.ts'
import { createLogCapture } from '../helpers/log-capture.ts'

t.test('errors plugin', async t => {
  const log = createLogCapture()
  const problems: string[] = []
  const app = Fastify({ loggerInstance: log.logger })
  await app.register(async scope => {
    await scope.register(errorsPlugin, { onProblem: error => problems.push(error.code) })
    scope.get('/coded/:code', async request => {
      const { code } = request.params as { code: ErrorCode }
      throw new CodedError(code, 'What to do.', { retryAfterSeconds: 6.2, errors: [{ path: '/body/a', code: 'x', message: 'y' }], members: { more: 1 } })
    })
    scope.get('/bug', async () => { throw new Error('a secret of the machine room') })
    scope.get('/of-a-library/:status', async request => {
      const { status } = request.params as { status: string }
      throw Object.assign(new Error('words of a library'), { statusCode: Number(status) })
    })
    scope.post('/post', { schema: { body: Type.Object({}) }, bodyLimit: 10 }, async () => ({}))
  }, { prefix: '/ours' })
  app.get('/host', async () => { throw new Error('of the host') })
  t.teardown(async () => { await app.close() })

  t.test('every code of the catalogue becomes its problem', async t => {
    for (const [code, { status, title }] of Object.entries(errorCatalogue)) {
      const response = await app.inject({ url: `/ours/coded/${code}?secret=1`, headers: { 'x-request-id': 'r-1' } })
      t.equal(response.statusCode, status, code)
      t.equal(response.headers['content-type'], 'application/problem+json; charset=utf-8')
      t.equal(response.headers['cache-control'], 'no-store')
      t.same(response.json(), {
        type: `urn:auth-serve:error:${code}`,
        title,
        status,
        detail: 'What to do.',
        instance: `/ours/coded/${code}`,
        code,
        requestId: 'r-1',
        errors: [{ path: '/body/a', code: 'x', message: 'y' }],
        more: 1
      })
      t.equal(response.headers['retry-after'], status === 429 || status === 503 ? '7' : undefined)
      t.match(response.headers['www-authenticate'] ?? '', status === 401 ? /^Bearer/ : /^$/)
    }
    t.same(problems.toSorted(), Object.keys(errorCatalogue).toSorted())
  })

  t.test('what nobody foresaw is logged with its stack and answered without', async t => {
    const response = await app.inject('/ours/bug')
    t.equal(response.statusCode, 500)
    t.equal(response.json().code, 'INTERNAL_ERROR')
    t.notMatch(response.body, /machine room|errors\.test/)
    const line = log.lines().find(line => JSON.stringify(line).includes('machine room'))
    t.match(JSON.stringify(line), /errors\.test/)
  })

  t.test('what Fastify finds wrong has its code', async t => {
    const post = async (payload: string, type = 'application/json') => (await app.inject({ method: 'POST', url: '/ours/post', payload, headers: { 'content-type': type } })).json().code
    t.equal(await post('{"a":"0123456789"}'), 'PAYLOAD_TOO_LARGE')
    t.equal(await post('<a/>', 'application/xml'), 'UNSUPPORTED_MEDIA_TYPE')
    t.equal(await post('{'), 'MALFORMED_REQUEST')
  })

  t.test('what a library refuses keeps its meaning, not its words', async t => {
    for (const [status, code] of [[400, 'MALFORMED_REQUEST'], [403, 'NOT_FOUND'], [404, 'NOT_FOUND'], [418, 'MALFORMED_REQUEST'], [429, 'RATE_LIMITED'], [502, 'INTERNAL_ERROR']] as const) {
      const response = await app.inject(`/ours/of-a-library/${status}`)
      t.equal(response.json().code, code, String(status))
      t.notMatch(response.body, /words/)
    }
  })

  t.test('unknown paths and methods of the scope are its own, those outside are the host\'s', async t => {
    t.equal((await app.inject('/ours/nowhere')).json().code, 'NOT_FOUND')
    const method = await app.inject({ method: 'DELETE', url: '/ours/bug' })
    t.equal(method.statusCode, 405)
    t.equal(method.headers.allow, 'GET, HEAD')
    t.same((await app.inject('/nowhere')).json(), { message: 'Route GET:/nowhere not found', error: 'Not Found', statusCode: 404 })
    t.equal((await app.inject('/host')).json().message, 'of the host')
  })

  t.test('wrong options fail the start', async t => {
    const other = Fastify()
    await t.rejects(async () => { await other.register(errorsPlugin, JSON.parse('{ "notFound": "yes" }')) }, { name: 'TypeError', message: /\/notFound/ })
  })
})

import { Type } from '@sinclair/typebox'
import Fastify, { type FastifyInstance } from 'fastify'
import t from 'tap'
import inputPlugin, { type InputOptions } from '../../plugins/input.ts'
import { CodedError } from '../../src/errors.ts'
import { StrictObject } from '../../src/schemas/strict.ts'
import { Text } from '../../src/schemas/text.ts'
import { answerErrors, json, routes, send } from '../helpers/input.ts'

t.test('who somebody is comes before what they sent', async t => {
  const app = Fastify()
  t.teardown(() => app.close())
  answerErrors(app)
  await app.register(inputPlugin)
  await app.register(async scope => {
    scope.addHook('preValidation', async () => { throw new CodedError('TOKEN_MISSING', 'Sign in first.') })
    await scope.register(routes)
  })
  for (const [url, body] of [['/login', '{}'], ['/bodyless', '{"a":1}'], ['/bodyless?x=1', '']] as const) t.match(await send(app, url, body), { status: 401 }, url)
})

t.test('a host and its other scopes keep their own input', async t => {
  const app = Fastify()
  t.teardown(() => app.close())
  answerErrors(app)
  const loose = { body: { type: 'object', properties: { n: { type: 'integer', default: 3 }, m: { type: 'integer' } }, additionalProperties: false } }
  const echo = async (request: { body: unknown, query: unknown }) => ({ body: request.body, query: request.query })
  const asEver = async (prefix: string) => {
    t.match(await send(app, `${prefix}/loose?x=1`, '{"m":"5","drop":1}'), { status: 200, body: { n: 3, m: 5 }, query: { x: '1' } })
    t.match(await send(app, `${prefix}/any`, 'text', { 'content-type': 'text/plain' }), { status: 200, body: 'text' })
    t.match(await send(app, `${prefix}/any`, '{"a":1,"a":2}'), { status: 200, body: { a: 2 } })
    t.match(await send(app, `${prefix}/any`, ''), { status: 400, code: 'FST_ERR_CTP_EMPTY_JSON_BODY' })
    t.match(await send(app, `${prefix}/any`, '{"a":1}', { ...json, 'content-encoding': 'gzip' }), { status: 200 })
    t.match(await send(app, `${prefix}/loose`, '{"m":"x"}'), { status: 400, code: 'FST_ERR_VALIDATION' })
  }
  const looseRoutes = async (scope: FastifyInstance) => {
    scope.post('/loose', { schema: loose }, echo)
    scope.post('/any', echo)
  }
  await app.register(looseRoutes, { prefix: '/before' })
  for (const [prefix, maxDepth] of [['/one', 3], ['/two', 2]] as const) {
    await app.register(async scope => {
      await scope.register(inputPlugin, { maxDepth })
      await scope.register(routes)
    }, { prefix })
  }
  await app.register(looseRoutes, { prefix: '/after' })
  for (const prefix of ['/before', '/after']) await asEver(prefix)
  for (const prefix of ['/one', '/two']) t.match(await send(app, `${prefix}/login`, '{"x":1}'), { status: 422 })
  t.match(await send(app, '/one/text', '{"text":[[]]}'), { status: 422 })
  t.match(await send(app, '/two/text', '{"text":[[]]}'), { status: 400 }, 'each with options of its own')
})

t.test('shared schemas count where they were added, and a host\'s compiler does not reach in', async t => {
  const app = Fastify()
  t.teardown(() => app.close())
  answerErrors(app)
  app.setValidatorCompiler(() => () => true)
  app.addSchema({ $id: 'HostSchema', $schema: 'http://json-schema.org/draft-07/schema#', nonsense: true })
  const echo = async (request: { body: unknown }) => ({ body: request.body })
  await app.register(async scope => {
    await scope.register(inputPlugin)
    scope.addSchema(Text({ $id: 'Name', maxLength: 3 }))
    scope.post('/direct', { schema: { body: StrictObject({ name: Type.Ref('Name') }) } }, echo)
    await scope.register(async inner => {
      inner.addSchema(StrictObject({ name: Type.Ref('Name') }, { $id: 'Person' }))
      await inner.register(async innermost => {
        innermost.post('/person', { schema: { body: Type.Ref('Person') } }, echo)
        innermost.post('/people', { schema: { body: StrictObject({ person: Type.Ref('Person') }) } }, echo)
      })
    })
    await scope.register(async other => {
      other.addSchema(StrictObject({ title: Type.Ref('Name') }, { $id: 'Person' }))
      other.post('/titled', { schema: { body: Type.Ref('Person') } }, echo)
    })
  })
  t.match(await send(app, '/direct', '{"name":"ada"}'), { status: 200, body: { name: 'ada' } })
  t.match(await send(app, '/direct', '{"name":"adaa"}'), { status: 422, errors: [{ path: '/body/name', code: 'too_long' }] })
  t.match(await send(app, '/person', '{"name":1,"x":2}'), { status: 422, errors: [{ path: '/body/x' }, { path: '/body/name', code: 'type' }] })
  t.match(await send(app, '/people', '{"person":{"name":"ada"}}'), { status: 200 })
  t.match(await send(app, '/titled', '{"name":"ada"}'), { status: 422, errors: [{ path: '/body/title', code: 'required' }, { path: '/body/name', code: 'unknown' }] })
})

t.test('a route may bring its own compiler, and is validated even when it was declared too early', async t => {
  const app = Fastify()
  t.teardown(() => app.close())
  answerErrors(app)
  app.register(inputPlugin)
  app.post('/early', { schema: { body: StrictObject({ n: Type.Integer() }) } }, async () => 'reached')
  app.after(() => {
    const errors = [{ keyword: 'required', instancePath: '', schemaPath: '#/required', params: { missingProperty: 'a' } }]
    const validatorCompiler = () => Object.assign(() => false, { errors })
    app.post('/own', { schema: { body: {} }, validatorCompiler }, async () => 'reached')
  })
  t.match(await send(app, '/early', '{"n":"1"}'), { status: 422, errors: [{ path: '/body/n', code: 'type' }] })
  t.match(await send(app, '/own', '{}'), { status: 422, errors: [{ path: '/body/a', code: 'required' }] })
})

t.test('what would not be validated as declared fails at start-up', async t => {
  for (const text of ['{"maxDepth":0}', '{"bodyLimit":"1mb"}', '{"depth":3}']) {
    const options: InputOptions = JSON.parse(text)
    await t.rejects(Promise.resolve(Fastify().register(inputPlugin, options)), /auth-serve input: invalid options/, text)
  }
  const app = Fastify()
  await app.register(inputPlugin)
  t.throws(() => app.post('/x', { schema: { body: { content: { 'application/json': { schema: {} } } } } }, async () => ''), /"content" map/)
  app.post('/y', { schema: { body: { type: 'object', minLenght: 1 } } }, async () => '')
  await t.rejects(Promise.resolve(app.ready()), { code: 'FST_ERR_SCH_VALIDATION_BUILD' })
})

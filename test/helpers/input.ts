import type { OutgoingHttpHeaders } from 'node:http'
import { Type } from '@sinclair/typebox'
import Fastify, { type FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import inputPlugin, { type InputOptions } from '../../plugins/input.ts'
import { CodedError, errorCatalogue } from '../../src/errors.ts'
import { StrictObject, exactlyOneOf } from '../../src/schemas/strict.ts'
import { Email, Password, Secret, Text, Username, Uuid } from '../../src/schemas/text.ts'

export const json = { 'content-type': 'application/json' }
const login = StrictObject({ email: Type.Optional(Email()), username: Type.Optional(Username()), password: Password() }, exactlyOneOf('email', 'username'))

/** Answers coded errors by their catalogue, and Fastify's own by their status. */
export function answerErrors (app: FastifyInstance): void {
  app.setErrorHandler((error: Error & { statusCode?: number, code?: string }, _request, reply) => {
    if (!(error instanceof CodedError)) return reply.code(error.statusCode ?? 500).send({ code: error.code })
    return reply.code(errorCatalogue[error.code].status).send({ code: error.code, detail: error.message, errors: error.errors })
  })
}

/** Routes that answer what their handler was given. */
export async function routes (app: FastifyInstance): Promise<void> {
  const echo = { handler: async (request: { body: unknown, query: unknown, params: unknown }) => ({ body: request.body ?? 'none', query: request.query, params: request.params }) }
  app.post('/login', { schema: { body: login }, ...echo })
  app.post('/text', { schema: { body: StrictObject({ text: Type.Optional(Text()), secret: Type.Optional(Secret()) }) }, ...echo })
  app.post('/limited', { bodyLimit: 64, schema: { body: StrictObject({}) }, ...echo })
  app.post('/bodyless', echo)
  app.delete('/bodyless', { schema: { summary: 'No input at all' }, ...echo })
  app.get('/list', { schema: { querystring: StrictObject({ limit: Type.Integer({ default: 50, maximum: 200 }) }) }, ...echo })
  app.get('/', echo)
  app.get('/users/:id', { schema: { params: StrictObject({ id: Uuid() }) }, ...echo })
}

/** An app with strict input and the routes under `/a`. */
export async function buildInputApp (t: Test, options: InputOptions = {}): Promise<FastifyInstance> {
  const app = Fastify()
  t.teardown(() => app.close())
  answerErrors(app)
  await app.register(async scope => {
    await scope.register(inputPlugin, options)
    scope.setNotFoundHandler((_request, reply) => reply.code(404).send({}))
    await scope.register(routes)
  }, { prefix: '/a' })
  await app.ready()
  return app
}

/** Sends a body as JSON, unless the headers say otherwise. */
export async function send (app: FastifyInstance, url: string, payload: string | Buffer | undefined, headers: OutgoingHttpHeaders = json, method: 'POST' | 'DELETE' = 'POST') {
  const response = await app.inject({ method, url, headers, ...payload !== undefined && { payload } })
  return { status: response.statusCode, headers: response.headers, ...response.json<{ code?: string, body?: unknown, errors?: unknown }>() }
}

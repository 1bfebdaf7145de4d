import { Type, type Static } from '@sinclair/typebox'
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import fp from 'fastify-plugin'
import { CodedError, invalidInput } from '../src/errors.ts'
import { toFieldErrors } from '../src/input/field-errors.ts'
import { isJsonMediaType } from '../src/input/media-type.ts'
import { parseStrictJson } from '../src/input/parse-json.ts'
import { createValidatorCompiler, type ValidatorCompiler } from '../src/input/validator.ts'
import { parseOptions } from '../src/options.ts'
import { StrictObject } from '../src/schemas/strict.ts'

/** How strict input is. */
export const InputOptionsSchema = StrictObject({
  maxDepth: Type.Integer({ minimum: 1, default: 32, description: 'How many objects and arrays of a body may stand inside one another' }),
  bodyLimit: Type.Optional(Type.Integer({ minimum: 1, description: 'Bytes of a body; default: that of the server. A route may set its own' }))
})
export type InputOptions = Partial<Static<typeof InputOptionsSchema>>

const unsupported = (detail: string) => new CodedError('UNSUPPORTED_MEDIA_TYPE', detail)
const noParameters = StrictObject({})

/**
 * Strict input for the scope it is registered in, and for no other: JSON in UTF-8 and nothing else, unknown and
 * duplicate properties refused, nothing coerced or dropped, every wrong field told in one CodedError INVALID_INPUT.
 * A route without a body schema takes no body, one without a query schema no query. Register it before the routes.
 */
async function input (fastify: FastifyInstance, given: InputOptions): Promise<void> {
  const options = parseOptions('input', InputOptionsSchema, given)
  const compilers = new Map<string, ValidatorCompiler>()

  /** One compiler for all scopes that see the same shared schemas; they are all there only when routes compile. */
  const compilerOf = (scope: FastifyInstance): ValidatorCompiler => route => {
    const shared = scope.getSchemas()
    const key = JSON.stringify(shared)
    const compile = compilers.get(key) ?? createValidatorCompiler(shared)
    compilers.set(key, compile)
    return compile(route)
  }

  async function parseBody (request: FastifyRequest, body: Buffer): Promise<unknown> {
    // An unknown address is answered as such, whatever was sent there.
    if (request.is404) return undefined
    if (!isJsonMediaType(request.headers['content-type'] ?? '')) throw unsupported('Send JSON encoded in UTF-8 (Content-Type: application/json).')
    if (body.length === 0 && mayLackBody(request.routeOptions.schema?.body)) return undefined
    return parseStrictJson(body, options)
  }
  const parserOptions = { parseAs: 'buffer' as const, ...options.bodyLimit !== undefined && { bodyLimit: options.bodyLimit } }
  fastify.removeAllContentTypeParsers()
  fastify.addContentTypeParser('application/json', parserOptions, parseBody)
  fastify.addContentTypeParser(/^application\/[^;]+\+json(?:;|$)/, parserOptions, parseBody)

  fastify.addHook('preParsing', async function refuseEncodedBodies (request: FastifyRequest, reply: FastifyReply) {
    const coding = request.headers['content-encoding']?.trim().toLowerCase() ?? ''
    if (request.is404 || coding === '' || coding === 'identity') return
    // The body stays unread, so the connection cannot be used for another request.
    reply.headers({ 'accept-encoding': 'identity', connection: 'close' })
    throw unsupported('Send the body without a Content-Encoding.')
  })

  fastify.addHook('preHandler', async function refuseUndeclaredBodies (request: FastifyRequest) {
    // Many clients send {} where there is nothing to say.
    if (isEmpty(request.body) || request.is404 || request.routeOptions.schema?.body !== undefined) return
    throw invalidInput([{ path: '/body', code: 'unknown', message: 'This operation takes no body; leave it out.' }])
  })

  fastify.addHook('onRoute', function declareInput (this: FastifyInstance, route: RouteOptions) {
    const { schema = {} } = route
    if (hasContentMap(schema.body)) {
      throw new TypeError(`auth-serve input: ${route.method} ${route.url}: give the body's schema itself; with a "content" map Fastify lets other JSON types through unvalidated`)
    }
    const hasQuery = schema.querystring !== undefined || ('query' in schema && schema.query !== undefined)
    if (!hasQuery) route.schema = { ...schema, querystring: noParameters }
    // Per route, because a compiler set on a scope does not see the schemas of the scopes inside it.
    route.validatorCompiler ??= compilerOf(this)
  })
  fastify.setValidatorCompiler(compilerOf(fastify))
  fastify.setSchemaErrorFormatter((errors, part) => invalidInput(toFieldErrors(errors, part)))
}

/** A route without a body schema, or with one that takes null, may be called without a body. */
function mayLackBody (schema: unknown): boolean {
  if (schema === undefined) return true
  return schema !== null && typeof schema === 'object' && 'anyOf' in schema && Array.isArray(schema.anyOf) && schema.anyOf.some(({ type }) => type === 'null')
}

function isEmpty (body: unknown): boolean {
  return body === undefined || body === null || (typeof body === 'object' && Object.keys(body).length === 0)
}

function hasContentMap (body: unknown): boolean {
  return body !== null && typeof body === 'object' && 'content' in body && body.content !== undefined
}

export const inputPlugin = fp(input, { name: 'auth-serve-input', fastify: '5.x' })
export default inputPlugin

import { Type, type Static } from '@sinclair/typebox'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { CodedError, errorCatalogue } from '../src/errors.ts'
import { createKnownPaths } from '../src/known-paths.ts'
import { parseOptions } from '../src/options.ts'
import { pathOf, problemHeaders, toCodedError, toProblem } from '../src/problem.ts'
import { requestIdOf } from '../src/request-id.ts'

const OptionsSchema = Type.Object({
  /** Answer unknown paths of the scope: 404, or 405 with `Allow` where another method is known. */
  notFound: Type.Boolean({ default: true }),
  /** Told of every problem before it is answered, for logs. */
  onProblem: Type.Optional(Type.Unsafe<OnProblem>(Type.Function([Type.Any(), Type.Any()], Type.Void())))
}, { additionalProperties: false })

type OnProblem = (error: CodedError, request: FastifyRequest) => void

export type ErrorsOptions = Partial<Static<typeof OptionsSchema>>

/**
 * Central error handling of a scope: every error becomes problem+json (RFC 9457) of the catalogue, what nobody foresaw
 * is logged with its stack and answered without, and unknown paths and methods are answered before anything is read.
 */
async function errors (app: FastifyInstance, options: ErrorsOptions): Promise<void> {
  const { notFound, onProblem } = parseOptions('errors', OptionsSchema, options)

  app.setErrorHandler(function answerProblem (thrown: unknown, request: FastifyRequest, reply: FastifyReply) {
    const error = toCodedError(thrown)
    const { status } = errorCatalogue[error.code]
    // A refusal without a cause (breaker open, queue full) is told by the request's own line; in a storm there are many.
    if (status === 500 || (error.code === 'SERVICE_UNAVAILABLE' && error.cause !== undefined)) {
      request.log.error({ err: error.code === 'INTERNAL_ERROR' ? error.cause : error }, 'request failed')
    }
    onProblem?.(error, request)
    const problem = toProblem(error, { instance: pathOf(request.url), requestId: requestIdOf(request.raw) })
    return reply.code(status).headers(problemHeaders(error)).send(JSON.stringify(problem))
  })

  if (!notFound) return
  const paths = createKnownPaths()
  app.addHook('onRoute', route => paths.add(route.method, route.url))
  function refuse (request: FastifyRequest, reply: FastifyReply): never {
    const allowed = paths.methodsOf(pathOf(request.url))
    if (allowed.length === 0) throw new CodedError('NOT_FOUND', 'There is nothing at this path.')
    reply.header('allow', allowed.join(', '))
    throw new CodedError('METHOD_NOT_ALLOWED', `This path knows ${allowed.join(', ')}.`)
  }
  // In the hook, so that neither body nor token is looked at; as the handler for those who ask for it, such as CORS.
  app.addHook('onRequest', async (request, reply) => {
    // RFC 9112, 3.2; hosts that leave this to Node.js never get here without one.
    if (request.headers.host === undefined && request.raw.httpVersion === '1.1') throw new CodedError('MALFORMED_REQUEST', 'Send a Host header.')
    if (request.is404) refuse(request, reply)
  })
  app.setNotFoundHandler(refuse)
}

export const errorsPlugin = fp(errors, { name: 'auth-serve-errors', fastify: '5.x' })
export default errorsPlugin

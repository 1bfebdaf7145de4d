import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import { LogController, type FastifyError, type FastifyHttpOptions, type FastifyReply, type FastifyRequest } from 'fastify'
import { errorCatalogue } from './errors.ts'
import { problemHeaders, toCodedError, toProblem } from './problem.ts'
import { requestIdFrom, requestIdOf } from './request-id.ts'

/** What only the root of a Fastify app decides. */
export interface RootSettings {
  /** Bytes of a request body at most. */
  bodyLimit?: number
  trustProxy?: boolean | string[]
}

/** Bytes of a request line and headers at most. */
const maxHeaderSize = 16 * 1024

/** Answers what fails before a request has a route: a malformed URL, a parameter that is too long. */
function answerFrameworkError (thrown: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  const error = toCodedError(thrown)
  const requestId = requestIdOf(request.raw)
  const problem = toProblem(error, { instance: request.url.split('?', 1)[0] ?? '', requestId })
  reply.code(problem.status).headers({ ...problemHeaders(error), 'x-request-id': requestId }).send(JSON.stringify(problem))
}

/** Answers what is no HTTP request, on the bare socket. */
function answerClientError (thrown: Error & { code?: string }, socket: Socket): void {
  if (thrown.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const error = toCodedError(thrown)
  const known = error.code === 'INTERNAL_ERROR' ? toCodedError({ ...thrown, statusCode: 400 }) : error
  const requestId = requestIdFrom({})
  const body = JSON.stringify(toProblem(known, { instance: '', requestId }))
  const headers = { ...problemHeaders(known), 'x-request-id': requestId, 'content-length': String(Buffer.byteLength(body)), connection: 'close' }
  const { status, title } = errorCatalogue[known.code]
  socket.end(`HTTP/1.1 ${status} ${title}\r\n${Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`)
}

/**
 * Options for the root of a Fastify app that make it behave as the standalone service does where a plugin cannot:
 * request ids, proxies, timeouts (milliseconds), header size, and problem answers to what is no proper request.
 */
export function serverOptions (settings: RootSettings = {}) {
  return {
    bodyLimit: settings.bodyLimit ?? 1_048_576,
    trustProxy: settings.trustProxy ?? false,
    genReqId: requestIdOf,
    requestIdHeader: false,
    // One line a request is the logging plugin's.
    logController: new LogController({ disableRequestLogging: true }),
    connectionTimeout: 60_000,
    requestTimeout: 30_000,
    keepAliveTimeout: 72_000,
    http: { maxHeaderSize, headersTimeout: 20_000 },
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: 256 },
    frameworkErrors: answerFrameworkError,
    clientErrorHandler: answerClientError
  } satisfies FastifyHttpOptions<Server>
}

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
  /** Milliseconds that the headers of a request may take to arrive. */
  headersTimeoutMs?: number
  /** Milliseconds that a whole request may take to arrive. */
  requestTimeoutMs?: number
  /** Milliseconds that a connection with a request may pass nothing on. */
  connectionTimeoutMs?: number
  /** Milliseconds that a connection may wait for its next request. */
  keepAliveTimeoutMs?: number
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
  // Whatever the parser does not take is the client's fault; what it says about that is not ours to repeat.
  const error = toCodedError(Object.assign(thrown, { statusCode: 400 }))
  const requestId = requestIdFrom({})
  const body = JSON.stringify(toProblem(error, { instance: '', requestId }))
  const headers = { ...problemHeaders(error), 'x-request-id': requestId, 'content-length': String(Buffer.byteLength(body)), connection: 'close' }
  const { status, title } = errorCatalogue[error.code]
  socket.end(`HTTP/1.1 ${status} ${title}\r\n${Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`)
}

/**
 * Options for the root of a Fastify app that make it behave as the standalone service does where a plugin cannot:
 * request ids, proxies, timeouts, header size, and problem answers to what is no proper request.
 */
export function serverOptions (settings: RootSettings = {}) {
  const { headersTimeoutMs = 20_000, requestTimeoutMs = 30_000, connectionTimeoutMs = 60_000, keepAliveTimeoutMs = 72_000 } = settings
  return {
    bodyLimit: settings.bodyLimit ?? 1_048_576,
    trustProxy: settings.trustProxy ?? false,
    genReqId: requestIdOf,
    requestIdHeader: false,
    // One line a request is the logging plugin's.
    logController: new LogController({ disableRequestLogging: true }),
    connectionTimeout: connectionTimeoutMs,
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: keepAliveTimeoutMs,
    // A request without Host gets our own answer, from the errors plugin. Node.js looks at its timeouts every 30 seconds
    // unless told otherwise, which would double the limits.
    http: { requireHostHeader: false, maxHeaderSize, headersTimeout: headersTimeoutMs, connectionsCheckingInterval: Math.ceil(Math.min(headersTimeoutMs, requestTimeoutMs) / 10) },
    forceCloseConnections: 'idle',
    // What still arrives on open connections while the server closes is served, and told `Connection: close`.
    return503OnClosing: false,
    routerOptions: { maxParamLength: 256 },
    frameworkErrors: answerFrameworkError,
    clientErrorHandler: answerClientError
  } satisfies FastifyHttpOptions<Server>
}

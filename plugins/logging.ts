import { Type, type Static } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import type { FastifyBaseLogger, FastifyInstance, FastifyReply, FastifyRequest, LogLevel } from 'fastify'
import fp from 'fastify-plugin'
import { createScopeLoggers, loggerOf } from '../src/logging/request-logger.ts'
import { createRouteInput, type InputDescription } from '../src/logging/route-input.ts'
import { safeText } from '../src/logging/scrub.ts'
import { eventFields, maxIpLength, maxUserAgentLength, type SecurityEvent } from '../src/logging/security-event.ts'
import { parseOptions } from '../src/options.ts'
import { requestIdOf } from '../src/request-id.ts'

const LevelSchema = Type.Union([
  Type.Literal('fatal'), Type.Literal('error'), Type.Literal('warn'), Type.Literal('info'), Type.Literal('debug'),
  Type.Literal('trace'), Type.Literal('silent')
])

/** Options of the logging plugin. */
export const LoggingOptionsSchema = Type.Object({
  decorator: Type.String({ default: 'authServeLogging', minLength: 1 }),
  /** Least severe lines of the scope; by default the level of the app's logger. A route's `logLevel` goes before it. */
  level: Type.Optional(LevelSchema)
}, { additionalProperties: false })

export type LoggingOptions = Partial<Static<typeof LoggingOptionsSchema>>

/** What became known of a request while it was answered; it goes into the request's line. */
export interface RequestFacts { userId?: string | undefined, sessionId?: string | undefined, errorCode?: string | undefined }

/** What other plugins tell the log, and ask of it. */
export interface Logging {
  /** The least severe lines that the scope writes at present. */
  readonly level: string
  /**
   * Changes that for this scope alone, from the next line on, also of requests that have begun. Routes with a
   * `logLevel` keep theirs. It needs a logger of pino, or one whose children follow it; any other obeys at new requests.
   *
   * @throws TypeError for what is no level.
   */
  setLevel(level: LogLevel): void
  /** Adds facts to the line that the request gets when it is done. */
  add(request: FastifyRequest, facts: RequestFacts): void
  /** The id in `X-Request-Id` and in every line of the request; a host's `request.id` may be another. */
  requestId(request: FastifyRequest): string
  /** Logs a security event: successes at `info`, failures at `warn`. */
  event(request: FastifyRequest | null, event: SecurityEvent): void
  /** Body, query and params as far as a log may show them, by the schemas of the request's route. */
  describeInput(request: FastifyRequest): InputDescription
  /** A pointer to a wrong field (`/body/email`) without names that the schema does not know. */
  maskPath(request: FastifyRequest, pointer: string): string
}

declare module 'fastify' {
  interface FastifyInstance { authServeLogging: Logging }
}

interface Client { ipAddress: string | undefined, userAgent: string | undefined }

interface RequestRecord { readonly client: Client, facts: RequestFacts, reply: FastifyReply | undefined, logged: boolean }

/** One for all instances: a request inside two nested ones is still told once, with what either knows. */
const records = new WeakMap<FastifyRequest, RequestRecord>()

/** The address is read when the request begins: a socket that was closed has none. */
function clientOf ({ ip, headers }: FastifyRequest): Client {
  const address: string | undefined = ip
  const userAgent = headers['user-agent']
  return {
    ipAddress: address === undefined ? undefined : safeText(address, maxIpLength),
    userAgent: userAgent === undefined ? undefined : safeText(userAgent, maxUserAgentLength)
  }
}

function recordOf (request: FastifyRequest): RequestRecord {
  const before = records.get(request)
  if (before !== undefined) return before
  const record = { client: clientOf(request), facts: {}, reply: undefined, logged: false }
  records.set(request, record)
  return record
}

/** Writes the one line of a request: fields of a fixed list, the route as its pattern, no URL, header or body. */
function logRequest (request: FastifyRequest, reply: FastifyReply, logger: FastifyBaseLogger, aborted: boolean): void {
  const record = recordOf(request)
  if (record.logged) return
  record.logged = true
  const { userId, sessionId, errorCode } = record.facts
  const status = aborted && !reply.raw.headersSent ? undefined : reply.statusCode
  const fields = {
    method: request.method,
    route: request.routeOptions.url,
    status,
    durationMs: Math.round(reply.elapsedTime * 10) / 10,
    ...record.client,
    userId,
    sessionId,
    errorCode
  }
  const message = aborted ? 'request aborted' : 'request completed'
  // A 4xx is the client's affair; those that matter to security have an event of their own, at `warn`.
  if (status !== undefined && status >= 500) logger.error(fields, message)
  else logger.info(fields, message)
}

/**
 * Logs the requests of a scope and answers each with its `X-Request-Id`. It works with any logger of the host, or none,
 * and leaves the host's own lines, hooks and `request.id` alone.
 */
async function logging (app: FastifyInstance, options: LoggingOptions): Promise<void> {
  const { decorator, level } = parseOptions('logging', LoggingOptionsSchema, options)
  const { logger: scopeLogger, childLogger, setLevel } = createScopeLoggers(app.log, app.childLoggerFactory, level)
  const made: Logging = {
    ...createRouteInput(),
    get level () { return scopeLogger.level },
    setLevel (next) {
      if (!Value.Check(LevelSchema, next)) throw new TypeError(`${String(next)} is no log level`)
      setLevel(next)
    },
    add (request, facts) { Object.assign(recordOf(request).facts, facts) },
    requestId: request => requestIdOf(request.raw),
    event (request, event) {
      const { requestId } = event
      const fields = request === null ? { ...requestId ? { requestId } : {}, ...eventFields(event) } : eventFields({ ...event, ...recordOf(request).client })
      const logger = request === null ? scopeLogger : loggerOf(request, scopeLogger)
      if (event.outcome === 'failure') logger.warn(fields, 'security event')
      else logger.info(fields, 'security event')
    }
  }
  app.decorate(decorator, made)
  app.setChildLoggerFactory(childLogger)

  app.addHook('onRequest', (request, reply, done) => {
    recordOf(request).reply = reply
    reply.header('x-request-id', requestIdOf(request.raw))
    done()
  })
  // A hook of the host may have answered before ours had its turn.
  app.addHook('onSend', (request, reply, _payload, done) => {
    if (!reply.hasHeader('x-request-id')) reply.header('x-request-id', requestIdOf(request.raw))
    done()
  })
  app.addHook('onResponse', (request, reply, done) => {
    logRequest(request, reply, loggerOf(request, scopeLogger), false)
    done()
  })
  app.addHook('onRequestAbort', (request, done) => {
    const { reply } = recordOf(request)
    if (reply !== undefined) logRequest(request, reply, loggerOf(request, scopeLogger), true)
    done()
  })
}

export const loggingPlugin = fp(logging, { name: 'auth-serve-logging', fastify: '5.x' })
export default loggingPlugin

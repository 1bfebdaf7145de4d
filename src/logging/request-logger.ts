import type { FastifyBaseLogger, FastifyInstance, FastifyRequest, LogLevel } from 'fastify'
import { correlationIdOf, requestIdOf, type RawRequest } from '../request-id.ts'
import { scrubText } from './scrub.ts'
import { serializeError } from './serialize-error.ts'

/** A request as Fastify's own lines show it: by its route's pattern, as its URL may hold a secret. */
const serializeRequest = ({ method, routeOptions }: Partial<Pick<FastifyRequest, 'method' | 'routeOptions'>>) =>
  ({ method, route: routeOptions?.url })

type ChildLoggerFactory = FastifyInstance['childLoggerFactory']

const serializers = {
  err: serializeError,
  req: serializeRequest,
  msg: (message: unknown) => typeof message === 'string' ? scrubText(message) : message
}

/** A logger of the scope beside its requests. */
export function createScopeLogger (logger: FastifyBaseLogger, level?: LogLevel): FastifyBaseLogger {
  return logger.child({}, { serializers, ...level === undefined ? {} : { level } })
}

/** Raw requests whose loggers carry their ids. */
const bound = new WeakSet<RawRequest>()

const idsOf = (raw: RawRequest) => ({ requestId: requestIdOf(raw), correlationId: correlationIdOf(raw) })

/** The logger of a request, with its ids also where the request missed the scope's factory (Fastify's own 404 at the root). */
export function loggerOf ({ raw, log }: FastifyRequest, scopeLogger: FastifyBaseLogger): FastifyBaseLogger {
  return bound.has(raw) ? log : scopeLogger.child(idsOf(raw))
}

/**
 * Makes the child logger of each request of a scope on top of the factory that the scope has: it carries requestId and
 * correlationId, serializes errors safely and never shows a URL. `level` applies where the route has no `logLevel`.
 */
export function createRequestLoggers (inherited: ChildLoggerFactory, level?: LogLevel): ChildLoggerFactory {
  // Serializers are costly to set, so a parent that has them is kept for each logger, of which an app has one.
  const parents = new WeakMap<FastifyBaseLogger, FastifyBaseLogger>()
  return function childLogger (logger, bindings, options, raw) {
    const parent = parents.get(logger) ?? createScopeLogger(logger)
    parents.set(logger, parent)
    const ids = idsOf(raw)
    // Under `serverOptions()` the id that Fastify binds is ours: once is enough.
    const others = Object.entries(bindings).filter(([, value]) => value !== ids.requestId)
    const all = { ...Object.fromEntries(others), ...ids }
    bound.add(raw)
    return inherited.call(this, parent, all, level === undefined ? options : { level, ...options }, raw)
  }
}

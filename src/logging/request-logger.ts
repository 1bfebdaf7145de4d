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

/** Raw requests whose loggers carry their ids. */
const bound = new WeakSet<RawRequest>()

const idsOf = (raw: RawRequest) => ({ requestId: requestIdOf(raw), correlationId: correlationIdOf(raw) })

/** The logger of a request, with its ids also where the request missed the scope's factory (Fastify's own 404 at the root). */
export function loggerOf ({ raw, log }: FastifyRequest, scopeLogger: FastifyBaseLogger): FastifyBaseLogger {
  return bound.has(raw) ? log : scopeLogger.child(idsOf(raw))
}

/** The loggers of a scope. */
export interface ScopeLoggers {
  /** The one beside the requests, and parent of theirs. */
  readonly logger: FastifyBaseLogger
  /** Makes the child logger of each request. */
  readonly childLogger: ChildLoggerFactory
  /** Sets the level of the scope, also for requests that have begun. */
  setLevel(level: LogLevel): void
}

/** The scope that a factory belongs to, and the loggers that are a scope's own. */
const scopes = new WeakMap<ChildLoggerFactory, FastifyBaseLogger>()
const own = new WeakSet<FastifyBaseLogger>()

/**
 * Makes the loggers of a scope from that of the app and the child logger factory that the scope has so far: request
 * loggers carry requestId and correlationId, serialize errors safely and never show a URL. A route's `logLevel` goes
 * before the level of the scope, the scope's before that of the scope around it. Levels are set on the parent alone:
 * pino's children without a level of their own follow it, so that a change reaches the live ones.
 */
export function createScopeLoggers (appLogger: FastifyBaseLogger, inherited: ChildLoggerFactory, level?: LogLevel): ScopeLoggers {
  let current = level
  // Serializers are costly to set, so a parent is kept for each logger, of which an app has one; a host's factory may add some.
  const parents = new WeakMap<FastifyBaseLogger, FastifyBaseLogger>()
  function parentOf (logger: FastifyBaseLogger): FastifyBaseLogger {
    if (own.has(logger)) return logger
    const known = parents.get(logger)
    if (known !== undefined) {
      if (current !== undefined && known !== logger && known.level !== current) known.level = current
      return known
    }
    const parent = logger.child({}, { serializers, ...current === undefined ? {} : { level: current } })
    parents.set(logger, parent)
    // A logger that returns itself as its child is still the host's.
    if (parent !== logger) own.add(parent)
    return parent
  }
  const around = scopes.get(inherited)
  const scopeLogger = (around ?? appLogger).child({}, { serializers, ...level === undefined ? {} : { level } })
  parents.set(appLogger, scopeLogger)
  if (scopeLogger !== appLogger) own.add(scopeLogger)

  function childLogger (this: FastifyInstance, ...[logger, bindings, options, raw]: Parameters<ChildLoggerFactory>): FastifyBaseLogger {
    const ids = idsOf(raw)
    // Under `serverOptions()` the id that Fastify binds is ours: once is enough.
    const others = Object.entries(bindings).filter(([, value]) => value !== ids.requestId)
    bound.add(raw)
    return inherited.call(this, parentOf(logger), { ...Object.fromEntries(others), ...ids }, options, raw)
  }
  scopes.set(childLogger, scopeLogger)

  return {
    logger: scopeLogger,
    childLogger,
    setLevel (next) {
      current = next
      if (own.has(scopeLogger)) scopeLogger.level = next
    }
  }
}

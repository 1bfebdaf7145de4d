import rateLimit, { normalizeIP, type RateLimitPluginOptions } from '@fastify/rate-limit'
import { Type, type Static } from '@sinclair/typebox'
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { CodedError } from '../src/errors.ts'
import { parseOptions } from '../src/options.ts'
import { clientAddress } from '../src/rate-limit/client-address.ts'
import { rateLimitFields, type Quota } from '../src/rate-limit/header-fields.ts'
import { openSharedCounters, type SharedCounters } from '../src/rate-limit/shared-counters.ts'

const Max = Type.Integer({ minimum: 1 })
const WindowSeconds = Type.Integer({ minimum: 1, maximum: 86_400 })

/** Options of the rate limit plugin. */
export const RateLimitOptionsSchema = Type.Object({
  decorator: Type.String({ default: 'authServeRateLimit' }),
  enabled: Type.Boolean({ default: true }),
  /** Requests of one client in one window, on all routes together that name no policy of their own. */
  max: Type.Integer({ minimum: 1, default: 1000 }),
  windowSeconds: Type.Integer({ minimum: 1, maximum: 86_400, default: 60 }),
  /** What routes may name in `config.limit`, each counted apart; what one does not say is as for all. `credentials` is always there. */
  policies: Type.Record(Type.String({ pattern: '^[a-z][a-z0-9-]*$' }), Type.Object({ max: Type.Optional(Max), windowSeconds: Type.Optional(WindowSeconds) }, { additionalProperties: false }), {
    additionalProperties: false, default: { credentials: {} }
  }),
  /** Count together with the other processes of the service. */
  redisUrl: Type.Optional(Type.String({ pattern: '^rediss?://' })),
  /** In front of every key in Redis; the prefix of the scope follows it. */
  keyPrefix: Type.String({ default: 'auth-serve:' }),
  redisTimeoutMs: Type.Integer({ minimum: 10, default: 250 }),
  /** Milliseconds between two tries to reach a lost Redis. */
  redisProbeMs: Type.Integer({ minimum: 10, default: 1000 }),
  /** Leading bits of an IPv6 address that make one client. */
  ipv6Prefix: Type.Integer({ minimum: 1, maximum: 128, default: 64 }),
  /** Clients that this process remembers by itself, the most recent ones. */
  localClients: Type.Integer({ minimum: 1, default: 20_000 }),
  /** Told of every refused request. */
  onExceeded: Type.Optional(Type.Unsafe<OnExceeded>(Type.Function([Type.Any()], Type.Void())))
}, { additionalProperties: false })

type OnExceeded = (request: FastifyRequest) => void

export type RateLimitOptions = Partial<Static<typeof RateLimitOptionsSchema>>

/** How requests are counted. */
export interface RateLimit {
  /** Whether a Redis is configured. */
  readonly shared: boolean
  /** A Redis is configured and lost: each process counts alone. */
  isDegraded(): boolean
}

declare module 'fastify' {
  interface FastifyInstance { authServeRateLimit: RateLimit }
  interface FastifyContextConfig {
    /** The policy that requests to the route are counted under; false counts none. */
    limit?: string | false
  }
}

/**
 * A counter of @fastify/rate-limit. It lives on an instance of its own because the package keeps the first
 * `createRateLimit` that it finds, which inside somebody's app is theirs.
 */
async function createCounter (options: RateLimitPluginOptions) {
  const holder = Fastify()
  await holder.register(rateLimit, { ...options, global: false })
  return holder.createRateLimit()
}

/**
 * Limits the requests of each client (IPv4 address or IPv6 network) to the routes of the scope before anything of them
 * is read: CodedError RATE_LIMITED, and the RateLimit header fields on every answer. Without its Redis it goes on
 * counting in memory. Register it before the routes, and before what authenticates.
 */
async function limits (app: FastifyInstance, options: RateLimitOptions): Promise<void> {
  const settings = parseOptions('rate-limit', RateLimitOptionsSchema, options)
  const { enabled, redisUrl } = settings
  let redis: SharedCounters | undefined
  app.decorate(settings.decorator, {
    shared: enabled && redisUrl !== undefined,
    isDegraded: () => redis !== undefined && !redis.isUp()
  })

  const own: Quota = { name: 'default', max: settings.max, windowSeconds: settings.windowSeconds }
  const named = new Map(Object.entries(settings.policies).map(([name, { max = own.max, windowSeconds = own.windowSeconds }]) => [name, { name, max, windowSeconds }]))
  app.addHook('onRoute', ({ method, url, config }) => {
    if (config?.limit === undefined || config.limit === false || named.has(config.limit)) return
    throw new TypeError(`auth-serve rate-limit: ${[method].flat().join(', ')} ${url} names an unknown limit: ${config.limit}`)
  })
  if (!enabled) return

  const quotaOf = ({ routeOptions }: FastifyRequest): Quota => named.get(routeOptions.config?.limit || own.name) ?? own
  const counting: RateLimitPluginOptions = {
    max: request => quotaOf(request).max,
    timeWindow: request => quotaOf(request).windowSeconds * 1000,
    keyGenerator: request => `${quotaOf(request).name}:${normalizeIP(clientAddress(request.ip), settings.ipv6Prefix)}`
  }
  const countHere = await createCounter({ ...counting, cache: settings.localClients })
  let countTogether: typeof countHere | undefined
  if (redisUrl !== undefined) {
    const keyPrefix = `${settings.keyPrefix}rate-limit:${app.prefix}:`
    redis = await openSharedCounters({ url: redisUrl, keyPrefix, timeoutMs: settings.redisTimeoutMs, probeIntervalMs: settings.redisProbeMs, log: app.log })
    countTogether = await createCounter({ ...counting, redis: redis.client, nameSpace: keyPrefix })
    app.addHook('onClose', async () => { redis?.close() })
  }

  app.addHook('onRequest', async function limitRequests (request, reply) {
    if (request.routeOptions.config?.limit === false) return
    const count = await redis?.attempt(async () => await countTogether?.(request)) ?? await countHere(request)
    if (count.isAllowed) return
    const resetSeconds = Math.max(1, count.ttlInSeconds)
    reply.headers(rateLimitFields(quotaOf(request), { remaining: count.remaining, resetSeconds }))
    if (!count.isExceeded) return
    settings.onExceeded?.(request)
    throw new CodedError('RATE_LIMITED', 'Too many requests came from this address; wait before the next one.', { retryAfterSeconds: resetSeconds })
  })
}

export const rateLimitPlugin = fp(limits, { name: 'auth-serve-rate-limit', fastify: '5.x' })
export default rateLimitPlugin

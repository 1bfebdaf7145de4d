import fastifyCors, { type FastifyCorsOptions } from '@fastify/cors'
import { Type, type Static } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { parseOptions } from '../src/options.ts'

/** Options of the CORS plugin. */
export const CorsOptionsSchema = Type.Object({
  /** Origins such as `https://app.example` whose pages may call the scope, or `*` for all; none leaves CORS alone. */
  origins: Type.Array(Type.Union([Type.Literal('*'), Type.String({ pattern: '^[a-z][a-z0-9+.-]*://[^/?#\\s]+$' })]), { default: [] }),
  /** Paths that anybody may read whatever the origins are; their routes say so themselves on their answers. */
  openPaths: Type.Array(Type.String({ pattern: '^/' }), { default: [] }),
  /** Seconds that a browser may keep the answer to a preflight. */
  maxAgeSeconds: Type.Integer({ minimum: 0, default: 600 })
}, { additionalProperties: false })

export type CorsOptions = Partial<Static<typeof CorsOptionsSchema>>

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']
const allowedHeaders = ['Authorization', 'Content-Type', 'X-Request-Id', 'X-Correlation-Id']
const exposedHeaders = ['X-Request-Id', 'Retry-After', 'Location', 'RateLimit', 'RateLimit-Policy']

/** Answers preflights of a path that anybody may read, which browsers send for conditional requests. */
function openPath (app: FastifyInstance, path: string, maxAgeSeconds: number): void {
  // Neither our rules nor those of a host's registration are asked.
  app.options(path, { schema: { hide: true }, config: { cors: false } }, async (_request, reply) => await reply.code(204).headers({
    'access-control-allow-origin': '*',
    'access-control-allow-methods': 'GET, HEAD',
    'access-control-allow-headers': 'If-None-Match, X-Request-Id, X-Correlation-Id',
    'access-control-max-age': String(maxAgeSeconds)
  }).send())
}

/** Throws TypeError for what a browser never sends as an origin, such as one with a default port. */
function refuseUnknowable (origins: readonly string[]): void {
  const wrong = origins.filter(origin => /^https?:/.test(origin) && new URL(origin).origin !== origin)
  if (wrong.length > 0) throw new TypeError(`auth-serve cors: a browser writes these origins otherwise: ${wrong.map(origin => `${origin} as ${new URL(origin).origin}`).join(', ')}`)
}

/**
 * Lets pages of other origins call the scope, without cookies. Any other origin gets an answer without CORS headers,
 * and its preflight is answered like any unknown method. Register it before what answers unknown paths and methods.
 *
 * @throws TypeError for an origin that no browser would send.
 */
async function cors (app: FastifyInstance, options: CorsOptions): Promise<void> {
  const { origins, openPaths, maxAgeSeconds } = parseOptions('cors', CorsOptionsSchema, options)
  for (const path of openPaths) openPath(app, path, maxAgeSeconds)
  if (origins.length === 0) return
  refuseUnknowable(origins.filter(origin => origin !== '*'))
  const known = new Set(origins)
  const rules: FastifyCorsOptions = {
    origin: known.has('*') ? '*' : (origin, answer) => { answer(null, origin !== undefined && known.has(origin) ? origin : false) },
    methods,
    allowedHeaders,
    exposedHeaders,
    credentials: false,
    maxAge: maxAgeSeconds,
    preflight: true,
    preflightContinue: false,
    optionsSuccessStatus: 204,
    // An OPTIONS request that is no preflight is no error either.
    strictPreflight: false
  }

  if (!app.hasRequestDecorator('corsPreflightEnabled')) {
    await app.register(fastifyCors, rules)
    return
  }
  // The host's registration works in this scope too and cannot be repeated, but a route's own rules go before it.
  app.addHook('onRoute', route => { route.config = Object.assign({ cors: rules }, route.config) })
  const atRoot = app.prefix === ''
  if (atRoot && app.hasRoute({ method: 'OPTIONS', url: '*' })) return
  app.options(atRoot ? '*' : '/*', { schema: { hide: true } }, (_request, reply) => { reply.callNotFound() })
}

export const corsPlugin = fp(cors, { name: 'auth-serve-cors', fastify: '5.x' })
export default corsPlugin

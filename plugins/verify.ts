import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { createBreakers, type Breakers } from '../src/breakers/breakers.ts'
import { judgeDatabaseError } from '../src/db/failures.ts'
import { openListener } from '../src/db/listener.ts'
import { createPool } from '../src/db/pool.ts'
import { createDatabase } from '../src/db/stores.ts'
import { CodedError, errorCatalogue, type ErrorCode } from '../src/errors.ts'
import { createAccessTokenVerifier } from '../src/keys/access-tokens.ts'
import { createDatabaseClock } from '../src/keys/database-clock.ts'
import { parseOptions } from '../src/options.ts'
import { pathOf, problemHeaders, toCodedError, toProblem } from '../src/problem.ts'
import { startRevocationFeed } from '../src/revocation/revocation-feed.ts'
import { createJudgeToken } from '../src/sessions/authenticate.ts'
import { bearerChallenge, bearerToken } from '../src/verify/bearer.ts'
import { createFetcher, type FetcherOptions } from '../src/verify/fetcher.ts'
import { readJwkSet } from '../src/verify/jwk-set.ts'
import { createStaticKeys, type CreateVerifier, type KeySource } from '../src/verify/key-source.ts'
import { checkSources, VerifyOptionsSchema, type VerifyDatabaseSettings, type VerifyOptions, type VerifySettings } from '../src/verify/options.ts'
import { pollRevocations, type RevocationSource } from '../src/verify/polled-revocations.ts'
import { startRemoteKeys } from '../src/verify/remote-keys.ts'
import { createVerifier, type VerifiedAuth, type Verifier } from '../src/verify/verifier.ts'

export { CodedError, VerifyOptionsSchema }
export type { ErrorCode, VerifiedAuth, Verifier, VerifyOptions }

/** A hook for `onRequest` or `preHandler`; it answers a request that it refuses. */
export type VerifyHook = (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>

/** Makes a hook that wants a token with any of these roles. */
export type RequireRole = (...roles: [string, ...string[]]) => VerifyHook

declare module 'fastify' {
  interface FastifyInstance {
    /** Wants an access token; then `request.auth` tells whose. */
    authenticate: VerifyHook
    /** Wants any of these roles, and an access token where nobody asked for it yet. */
    requireRole: RequireRole
    authServeVerifier: Verifier
  }
  interface FastifyRequest {
    /** Whom the access token speaks for; null before `authenticate`. */
    auth: VerifiedAuth | null
  }
}

/** Milliseconds that the first requests wait for the first reading of the database; after that they are 503. */
const firstLoadMs = 5000

function breakersOf (app: FastifyInstance, { breakersDecorator }: VerifySettings): Breakers {
  if (breakersDecorator !== undefined) return app.getDecorator<Breakers>(breakersDecorator)
  return createBreakers({
    onTransition (transition) {
      // An outage is told once and its end once, not every trial in between.
      const level = transition.to === 'closed' ? 'info' : transition.from === 'closed' ? 'warn' : 'debug'
      app.log[level]({ ...transition }, 'a circuit breaker changed its state')
    }
  })
}

function fetcherOf (breakers: Breakers, breaker: string, options: Omit<FetcherOptions, 'guard'>) {
  // A reading has a bound of its own, which also ends it.
  return createFetcher({ ...options, guard: breakers.policy(breaker, { timeoutMs: 0 }) })
}

function keysOf (app: FastifyInstance, breakers: Breakers, { jwksUrl, keys, jwks, name, ...settings }: VerifySettings): KeySource {
  const create: CreateVerifier = keys => createAccessTokenVerifier(keys, { ...settings, now: () => Date.now(), cacheSize: settings.tokenCacheSize })
  if (jwksUrl !== undefined) return startRemoteKeys({ ...jwks, fetcher: fetcherOf(breakers, `${name}-jwks`, { ...jwks, url: jwksUrl }), createVerifier: create, log: app.log })
  try {
    return createStaticKeys(readJwkSet(keys), create)
  } catch (cause) {
    throw new TypeError('auth-serve verify: invalid options: /keys: it holds no public key that verifies access tokens', { cause })
  }
}

/** Follows the revocations as an instance of the issuer does. */
function followDatabase (app: FastifyInstance, breakers: Breakers, name: string, maxStalenessSeconds: number, { url, listenUrl = url, poolMax, poolQueue, ...settings }: VerifyDatabaseSettings): RevocationSource {
  const pool = createPool({ ...settings, location: { url }, max: poolMax, queue: poolQueue })
  const database = createDatabase(pool, breakers.policy(`${name}-database`, { timeoutMs: 0, judge: judgeDatabaseError }))
  const feed = startRevocationFeed({
    ...settings,
    maxStalenessSeconds,
    clock: createDatabaseClock(),
    store: database.revocations,
    listen: async handlers => await openListener({ ...handlers, location: { url: listenUrl }, connectTimeoutSeconds: settings.connectTimeoutSeconds }),
    onKeysChanged: () => {},
    log: app.log
  })
  const firstLoad = feed.loaded(firstLoadMs)
  const judge = createJudgeToken({ database, feed })
  return {
    async judge (subject) {
      if (!feed.state().loaded) await firstLoad
      return await judge(subject)
    },
    state: feed.state,
    async close () {
      await feed.close()
      await pool.close()
    }
  }
}

function revocationsOf (app: FastifyInstance, breakers: Breakers, { issuer, name, revocations }: VerifySettings): RevocationSource | undefined {
  if (revocations?.database !== undefined) return followDatabase(app, breakers, name, revocations.maxStalenessSeconds, revocations.database)
  if (revocations?.url === undefined) return undefined
  return pollRevocations({ ...revocations, issuer, fetcher: fetcherOf(breakers, `${name}-revocations`, { ...revocations, url: revocations.url }), log: app.log })
}

/** Answers by itself, so that the refusal is the same whatever error handler the host has. */
function refuse (request: FastifyRequest, reply: FastifyReply, thrown: unknown): FastifyReply {
  const error = toCodedError(thrown)
  const { status } = errorCatalogue[error.code]
  if (status === 500 || (status === 503 && error.cause !== undefined)) request.log.error({ err: error.code === 'INTERNAL_ERROR' ? error.cause : error }, 'the access token could not be judged')
  const challenge = bearerChallenge(error)
  const problem = toProblem(error, { instance: pathOf(request.url), requestId: request.id })
  return reply.code(status).headers({ ...problemHeaders(error), ...challenge === undefined ? {} : { 'www-authenticate': challenge } }).send(JSON.stringify(problem))
}

function requireFreeNames (app: FastifyInstance, { authenticate, requireRole, verifier, auth }: VerifySettings['decorators']): void {
  const ofApp = [authenticate, requireRole, verifier]
  const taken = [...ofApp.filter((name, index) => app.hasDecorator(name) || ofApp.indexOf(name) !== index).map(name => `app.${name}`), ...app.hasRequestDecorator(auth) ? [`request.${auth}`] : []]
  if (taken.length > 0) throw new TypeError(`auth-serve verify: ${taken.join(', ')} exists already; give this verifier other names with the option decorators`)
}

/**
 * Lets another app take the access tokens of auth-serve: it verifies them by the issuer's keys and, if asked to, learns
 * which were revoked. Refusals are those of RFC 6750, with a problem (RFC 9457) as body; what cannot be known is 503.
 *
 * @throws TypeError for options that are not valid, and for names that are taken.
 */
async function verify (app: FastifyInstance, options: VerifyOptions): Promise<void> {
  const settings = parseOptions('verify', VerifyOptionsSchema, options)
  checkSources(settings)
  const { decorators: names, maxTokenLength } = settings
  requireFreeNames(app, names)
  const breakers = breakersOf(app, settings)
  const keys = keysOf(app, breakers, settings)
  app.addHook('onClose', keys.close)
  const revocations = revocationsOf(app, breakers, settings)
  if (revocations !== undefined) app.addHook('onClose', revocations.close)

  const verifier = createVerifier(keys, revocations)
  const known = new WeakMap<FastifyRequest, VerifiedAuth>()

  async function authenticated (request: FastifyRequest): Promise<VerifiedAuth> {
    const before = known.get(request)
    if (before !== undefined) return before
    const auth = await verifier.verify(bearerToken(request.raw, maxTokenLength))
    known.set(request, auth)
    request.setDecorator(names.auth, auth)
    return auth
  }

  function hook (check: (auth: VerifiedAuth) => void): VerifyHook {
    return async (request, reply) => {
      try {
        check(await authenticated(request))
      } catch (error) {
        return refuse(request, reply, error)
      }
    }
  }

  app.decorate(names.verifier, verifier)
  app.decorateRequest(names.auth, null)
  app.decorate(names.authenticate, hook(() => {}))
  app.decorate(names.requireRole, (...roles: string[]): VerifyHook => {
    if (roles.length === 0 || !roles.every(role => typeof role === 'string' && role !== '')) throw new TypeError('auth-serve verify: requireRole wants the names of roles')
    return hook(auth => {
      if (!roles.some(role => auth.roles.includes(role))) throw new CodedError('FORBIDDEN', `This needs the role ${roles.join(' or ')}.`)
    })
  })
}

export const verifyPlugin = fp(verify, { name: 'auth-serve-verify', fastify: '5.x' })
export default verifyPlugin

import fastifyJwt, { type JWT, type TokenOrHeader } from '@fastify/jwt'
import { Type, type Static } from '@sinclair/typebox'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { CodedError, errorCatalogue, type ErrorCode } from '../src/errors.ts'
import { parseOptions } from '../src/options.ts'
import { isRepeatedField } from '../src/repeated-field.ts'
import type { RevocationOptions } from '../src/revocation/options.ts'
import { permissionPattern, rolePattern } from '../src/roles/permissions.ts'
import { createRoles, type Roles } from '../src/roles/roles.ts'
import { createAuthenticate, type Principal } from '../src/sessions/authenticate.ts'
import { authorize } from '../src/sessions/authorize.ts'
import { startSessionUse } from '../src/sessions/session-use.ts'
import { tokenOptions } from '../src/tokens/options.ts'
import { startTokens, type Tokens } from '../src/tokens/tokens.ts'
import type { AuthServeDb } from './db.ts'

/** Options of the auth plugin. */
export const AuthOptionsSchema = Type.Object({
  decorator: Type.String({ default: 'authServeAuth' }),
  /** Name under which the db plugin decorated the instance. */
  dbDecorator: Type.String({ default: 'authServeDb' }),
  /** Namespace of @fastify/jwt, so that a host's own registration and a second instance stay apart. */
  jwtNamespace: Type.String({ default: 'authServe', pattern: '^[A-Za-z][A-Za-z0-9]*$' }),
  ...tokenOptions,
  /** Seconds after a login or a proof of identity in which a session is fresh. */
  freshSessionSeconds: Type.Integer({ minimum: 1, default: 600 }),
  /** Roles beside `user` and `admin`, and the permissions of each. */
  roles: Type.Record(Type.String({ pattern: rolePattern }), Type.Array(Type.String({ pattern: permissionPattern })), { additionalProperties: false, default: {} }),
  /** Milliseconds between two writings of when sessions were last used; each is noted once a minute at most. */
  useFlushMs: Type.Integer({ minimum: 10, maximum: 3_600_000, default: 30_000 }),
  /** Sessions whose last use is remembered between two writings; the use of any other is not noted. */
  maxTrackedUses: Type.Integer({ minimum: 1, maximum: 10_000_000, default: 100_000 }),
  /** Told of each request that was recognised, for logs. */
  onAuthenticated: Type.Optional(Type.Unsafe<OnAuthenticated>(Type.Function([Type.Any(), Type.Any()], Type.Void())))
}, { additionalProperties: false })

type OnAuthenticated = (request: FastifyRequest, principal: Principal) => void

export type AuthOptions = Pick<Static<typeof AuthOptionsSchema>, 'secrets' | 'issuer'> & Partial<Omit<Static<typeof AuthOptionsSchema>, 'revocation'>> & { revocation?: RevocationOptions }

/**
 * Who may call a route: anybody (`public`; with `optional` the handler may ask for a token), whoever holds an access token
 * of a live session (`session`), of one that was proven lately (`fresh`), or whoever has a permission.
 */
export type Access = 'public' | 'optional' | 'session' | 'fresh' | `${string}:${string}`

/** Tokens, keys and who is asking. */
export interface Auth extends Tokens {
  /** Who may do what. */
  roles: Roles
  /** Whom the request was authenticated as. Throws CodedError TOKEN_MISSING on a route that asks for nobody. */
  principal(request: FastifyRequest): Principal
  /** Authenticates a request on a route with `optional` access. Throws CodedError TOKEN_MISSING and the like. */
  authenticate(request: FastifyRequest): Promise<Principal>
  /** The same, with undefined for a request that carries no token that counts. */
  tryAuthenticate(request: FastifyRequest): Promise<Principal | undefined>
}

declare module 'fastify' {
  interface FastifyInstance { authServeAuth: Auth }
  interface FastifyContextConfig {
    /** Who may call the route; every route of ours declares it. */
    access?: Access
    /** Codes of the error catalogue that this operation gives beyond those that follow from its policy and input. */
    errors?: readonly ErrorCode[]
  }
}

/** Milliseconds that the start waits for the first reading of the revocations; after that the service is live, and not ready. */
const startWaitMs = 5000

const keyIdOf = (token: TokenOrHeader): string => String(('header' in token ? token.header : token).kid)

/**
 * Access tokens (RFC 9068) and the policy of routes: each route of the scope declares `config.access`, which becomes a
 * check before the body is read. A route without one fails the start.
 */
async function auth (app: FastifyInstance, options: AuthOptions): Promise<void> {
  const settings = parseOptions('auth', AuthOptionsSchema, options)
  const database = app.getDecorator<AuthServeDb>(settings.dbDecorator)
  const tokens = startTokens(settings, { database, listen: database.listen, log: app.log })
  const { clock, feed, keyRing } = tokens
  const roles = createRoles(settings.roles)
  database.onRevoked(feed.add)
  app.addHook('onReady', async () => { if (database.isSchemaReady()) await feed.loaded(startWaitMs) })
  const sessionUse = startSessionUse({ store: database.sessions, clock, flushMs: settings.useFlushMs, maxEntries: settings.maxTrackedUses, log: app.log })
  app.addHook('onClose', async () => {
    await sessionUse.close()
    await feed.close()
  })

  // A parent's `app.jwt` is its own: ours shadows it in this scope, and the namespace keeps two of ours apart.
  if (!Object.hasOwn(app, 'jwt') && app.hasDecorator('jwt')) app.decorate('jwt', Object.create(null))
  await app.register(fastifyJwt, {
    namespace: settings.jwtNamespace,
    decoratorName: `${settings.jwtNamespace}User`,
    decode: { complete: true },
    verify: { algorithms: ['ES256', 'EdDSA', 'RS256'], allowedIss: settings.issuer, allowedAud: settings.audience, checkTyp: 'at+jwt' },
    // What this package itself accepts may be revoked.
    trusted: async request => { await authenticateRequest(request); return true },
    secret: { public: async (_request: FastifyRequest, token: TokenOrHeader) => await keyRing.publicKey(keyIdOf(token)) }
  })
  const { [settings.jwtNamespace]: jwt } = app.getDecorator<Record<string, JWT | undefined>>('jwt')
  const authenticate = createAuthenticate(tokens.recognise)
  const principals = new WeakMap<FastifyRequest, Principal>()

  function bearerToken (request: FastifyRequest): string {
    if (isRepeatedField(request.raw.rawHeaders, 'authorization')) throw new CodedError('TOKEN_INVALID', 'Send one Authorization header.')
    try {
      return jwt?.lookupToken(request) ?? ''
    } catch {
      throw request.headers.authorization === undefined || !/^Bearer\b/i.test(request.headers.authorization)
        ? new CodedError('TOKEN_MISSING', 'Send an access token as "Authorization: Bearer <token>".')
        : new CodedError('TOKEN_INVALID', 'The Authorization header is not of the form "Bearer <token>".')
    }
  }

  async function authenticateRequest (request: FastifyRequest): Promise<Principal> {
    const principal = await authenticate(bearerToken(request))
    principals.set(request, principal)
    sessionUse.note(principal.sessionId)
    settings.onAuthenticated?.(request, principal)
    return principal
  }

  app.decorate(settings.decorator, {
    ...tokens,
    roles,
    authenticate: authenticateRequest,
    async tryAuthenticate (request: FastifyRequest) {
      try {
        return await authenticateRequest(request)
      } catch (error) {
        if (error instanceof CodedError && errorCatalogue[error.code].status === 401) return undefined
        throw error
      }
    },
    principal (request: FastifyRequest) {
      const principal = principals.get(request)
      if (principal === undefined) throw new CodedError('TOKEN_MISSING', 'Send an access token as "Authorization: Bearer <token>".')
      return principal
    }
  })

  app.addHook('onRoute', route => {
    const access = route.config?.access
    if (access === undefined) throw new TypeError(`auth-serve auth: ${[route.method].flat().join(', ')} ${route.url} declares no config.access`)
    if (access === 'public' || access === 'optional') return
    route.onRequest = [...[route.onRequest ?? []].flat(), async request => {
      authorize(access, await authenticateRequest(request), { ...settings, roles, now: clock.now })
    }]
  })
}

export const authPlugin = fp(auth, { name: 'auth-serve-auth', fastify: '5.x', dependencies: ['auth-serve-db'] })
export default authPlugin

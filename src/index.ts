import { Type } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import { authPlugin, type AuthOptions } from '../plugins/auth.ts'
import { breakerPlugin, type BreakerOptions } from '../plugins/breaker.ts'
import { dbPlugin, type DbOptions } from '../plugins/db.ts'
import { docsPlugin } from '../plugins/docs.ts'
import { errorsPlugin } from '../plugins/errors.ts'
import { healthPlugin } from '../plugins/health.ts'
import { inputPlugin, type InputOptions } from '../plugins/input.ts'
import { loggingPlugin } from '../plugins/logging.ts'
import { passwordsPlugin, type PasswordsOptions } from '../plugins/passwords.ts'
import { useCasesPlugin, type UseCasesOptions } from '../plugins/use-cases.ts'
import { apiRoutes } from '../routes/api.ts'
import { serviceRoutes } from '../routes/service.ts'
import { CodedError } from './errors.ts'
import { parseOptions } from './options.ts'
import { version } from './version.ts'

/** Options of the whole service; each part is validated by the plugin that it goes to. */
export interface AuthServeOptions {
  /** Path of the API below the prefix of the registration; the service routes stay at the prefix itself. */
  apiPrefix?: string
  /** Where the service can be reached from outside, for the OpenAPI document. */
  publicUrl?: string
  /** At least 32 characters each, newest first: the first seals and signs, all are accepted. */
  secrets: string[]
  database: Omit<DbOptions, 'decorator' | 'breakersDecorator' | 'breaker'>
  /** Circuit breakers of what the service depends on. */
  breakers?: Omit<BreakerOptions, 'decorator'>
  jwt: Pick<AuthOptions, 'issuer' | 'audience' | 'clientId'>
  /** Lives of sessions and tokens, in seconds. */
  sessions?: Pick<UseCasesOptions, 'accessTtlSeconds' | 'idleTtlSeconds' | 'absoluteTtlSeconds' | 'refreshGraceSeconds'> & Pick<AuthOptions, 'freshSessionSeconds'>
  login?: { maxFailures?: number, lockSeconds?: number }
  passwords?: Omit<PasswordsOptions, 'decorator'>
  input?: InputOptions
  /** Serve Swagger UI and the OpenAPI document. */
  docs?: boolean
}

const OwnOptionsSchema = Type.Object({
  apiPrefix: Type.String({ pattern: '^(/[A-Za-z0-9._~-]+)*$', default: '' }),
  publicUrl: Type.Optional(Type.String({ pattern: '^https?://' })),
  docs: Type.Boolean({ default: true })
})

function addReadinessChecks ({ authServeAuth, authServeDb, authServeHealth }: FastifyInstance): void {
  authServeHealth.add('database', async () => { await authServeDb.ping() })
  authServeHealth.add('schema', async () => {
    if (!authServeDb.isSchemaReady()) throw new CodedError('SERVICE_UNAVAILABLE', 'The database schema is not in place yet.')
  })
  authServeHealth.add('signingKeys', async () => { await authServeAuth.keyRing.load() })
}

/**
 * The authentication service as one encapsulated plugin: register it under a prefix of your own, more than once if you
 * like. The order below is the architecture: each concern stands on those before it.
 *
 * @throws TypeError for options that are not valid, naming every one.
 */
async function authServe (app: FastifyInstance, options: AuthServeOptions): Promise<void> {
  const { apiPrefix, publicUrl, docs } = parseOptions('options', OwnOptionsSchema, { apiPrefix: options.apiPrefix, publicUrl: options.publicUrl, docs: options.docs })

  await app.register(loggingPlugin)
  const logging = app.authServeLogging
  await app.register(errorsPlugin, {
    onProblem (error, request) {
      logging.add(request, { errorCode: error.code })
      if (error.code !== 'INVALID_INPUT') return
      const fields = error.errors?.map(({ path, code }) => ({ path: logging.maskPath(request, path), code }))
      request.log.debug({ fields, input: logging.describeInput(request) }, 'input refused')
    }
  })
  await app.register(healthPlugin)
  await app.register(breakerPlugin, options.breakers ?? {})
  await app.register(dbPlugin, options.database)
  await app.register(passwordsPlugin, options.passwords ?? {})
  await app.register(docsPlugin, { version, basePath: publicUrl === undefined ? '/' : new URL(publicUrl).pathname, path: docs ? '/docs' : null })

  const { freshSessionSeconds, ...sessions } = options.sessions ?? {}
  await app.register(async routes => {
    await routes.register(inputPlugin, options.input ?? {})
    await routes.register(authPlugin, {
      ...options.jwt,
      secrets: options.secrets,
      freshSessionSeconds,
      onAuthenticated: (request, { userId, sessionId }) => logging.add(request, { userId, sessionId })
    })
    await routes.register(useCasesPlugin, {
      ...sessions,
      loginMaxFailures: options.login?.maxFailures,
      loginLockSeconds: options.login?.lockSeconds,
      onEvent: (event, context) => logging.event(null, { ...event, ...context })
    })
    addReadinessChecks(routes)
    routes.addHook('onRequest', async (_request, reply) => { reply.header('cache-control', 'no-store') })
    await routes.register(serviceRoutes, { version, apiPrefix, docs })
    await routes.register(apiRoutes, { prefix: apiPrefix })
  })
}

export default authServe
export { authServe }
export { serverOptions } from './server-options.ts'

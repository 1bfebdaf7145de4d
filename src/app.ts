import Fastify, { type FastifyBaseLogger, type FastifyInstance } from 'fastify'
import type { Config } from './config.ts'
import { readRoles } from './config/role-definitions.ts'
import { authServe, type AuthServeOptions } from './index.ts'
import { serverOptions } from './server-options.ts'

export interface AppOptions {
  config: Config
  /** Where the database is. */
  database: Pick<AuthServeOptions['database'], 'url' | 'host' | 'port' | 'database' | 'username' | 'password'>
  secrets: string[]
  /** Keys in PEM that are managed outside. */
  keys: string[]
  logger: FastifyBaseLogger
}

/** The standalone service: the bundle at the root of an app of its own, its API under API_PREFIX. */
export function createApp ({ config, database, secrets, keys, logger }: AppOptions): FastifyInstance {
  const { server, tokens, sessions, revocation, passwords, login, accounts, mail, audit, webhooks, rateLimit, breakers } = config
  const { credentialsMax, ...limits } = rateLimit
  // A mail server or receiver that hangs must not keep the process beyond its time.
  const closeTimeoutMs = Math.min(3000, Math.floor(server.shutdownTimeoutMs / 4))
  const app: FastifyInstance = Fastify({
    ...serverOptions({ bodyLimit: server.bodyLimitBytes, trustProxy: server.trustProxy }),
    loggerInstance: logger
  })
  // An expectation other than 100-continue is ignored (RFC 9110, 10.1.1) rather than answered by Node.js itself.
  app.server.on('checkExpectation', (request, response) => { app.server.emit('request', request, response) })
  app.register(authServe, {
    apiPrefix: server.apiPrefix,
    publicUrl: server.publicUrl,
    secrets,
    database: {
      ...database,
      listenUrl: config.database.listenUrl,
      preparedStatements: config.database.preparedStatements,
      poolMax: config.database.poolMax,
      statementTimeoutMs: config.database.statementTimeoutMs,
      acquireTimeoutMs: config.database.acquireTimeoutMs,
      migrate: config.database.migrate
    },
    jwt: {
      issuer: tokens.issuer,
      audience: tokens.audience,
      clientId: tokens.clientId,
      algorithm: tokens.algorithm,
      keyActivationSeconds: tokens.keyActivationSeconds,
      keyRotationDays: tokens.keyRotationDays,
      tokenCacheSize: tokens.cacheSize,
      keys
    },
    sessions,
    revocation,
    roles: readRoles(accounts.roles),
    login,
    accounts: { requireEmailVerification: accounts.requireEmailVerification, registrationPrivacy: accounts.registrationPrivacy, adminEmail: accounts.adminEmail },
    mail: {
      ...mail,
      closeTimeoutMs,
      verificationTtlSeconds: accounts.verificationTtlSeconds,
      resetTtlSeconds: accounts.resetTtlSeconds,
      undoTtlSeconds: accounts.undoTtlSeconds,
      invitationTtlSeconds: accounts.invitationTtlSeconds
    },
    audit: { ...audit, lifecycle: true },
    webhooks: { ...webhooks, closeTimeoutMs },
    breakers,
    cors: { origins: server.corsOrigins },
    rateLimit: { ...limits, policies: { credentials: { max: credentialsMax } } },
    passwords: { ...passwords },
    health: { drainMs: server.shutdownDrainMs },
    docs: server.docsEnabled,
    metrics: server.metricsEnabled
  })
  return app
}

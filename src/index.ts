import type { FastifyInstance, FastifyRequest } from 'fastify'
import { auditPlugin } from '../plugins/audit.ts'
import { authPlugin } from '../plugins/auth.ts'
import { breakerPlugin } from '../plugins/breaker.ts'
import { corsPlugin } from '../plugins/cors.ts'
import { dbPlugin } from '../plugins/db.ts'
import { docsPlugin } from '../plugins/docs.ts'
import { errorsPlugin } from '../plugins/errors.ts'
import { healthPlugin } from '../plugins/health.ts'
import { inputPlugin } from '../plugins/input.ts'
import { loggingPlugin } from '../plugins/logging.ts'
import { maintenancePlugin } from '../plugins/maintenance.ts'
import { mailPlugin } from '../plugins/mail.ts'
import { metricsPlugin } from '../plugins/metrics.ts'
import { outputPlugin } from '../plugins/output.ts'
import { pagesPlugin } from '../plugins/pages.ts'
import { passwordsPlugin } from '../plugins/passwords.ts'
import { rateLimitPlugin } from '../plugins/rate-limit.ts'
import { securityHeadersPlugin } from '../plugins/security-headers.ts'
import { useCasesPlugin } from '../plugins/use-cases.ts'
import { webhooksPlugin } from '../plugins/webhooks.ts'
import { apiRoutes } from '../routes/api.ts'
import { serviceRoutes } from '../routes/service.ts'
import type { AuditEvent, RequestContext } from './audit/audit.ts'
import { CodedError } from './errors.ts'
import { createEventHooks } from './hooks/event-hooks.ts'
import { AuthServeOptionsSchema, type AuthServeOptions } from './index/options.ts'
import { createRotateKeysWhenDue } from './keys/rotate-keys-when-due.ts'
import { addAuditMetrics } from './metrics/audit-metrics.ts'
import { addMailMetrics } from './metrics/mail-metrics.ts'
import { addServiceMetrics } from './metrics/service-metrics.ts'
import { addWebhookMetrics } from './metrics/webhook-metrics.ts'
import { parseOptions } from './options.ts'
import { createAdminInvitationJob } from './recovery/admin-invitation-job.ts'
import { version } from './version.ts'

function addReadinessChecks ({ authServeAuth, authServeDb, authServeHealth, authServeMail, authServeRateLimit }: FastifyInstance): void {
  authServeHealth.add('database', async () => { await authServeDb.ping() })
  authServeHealth.add('schema', async () => {
    if (!authServeDb.isSchemaReady()) throw new CodedError('SERVICE_UNAVAILABLE', 'The database schema is not in place yet.')
  })
  authServeHealth.add('signingKeys', async () => { await authServeAuth.keyRing.signingKid() })
  authServeHealth.add('revocationFeed', async () => {
    const { stalenessSeconds, fresh } = authServeAuth.feed.state()
    return { down: !fresh, ...stalenessSeconds === null ? {} : { stalenessSeconds } }
  })
  // Without it mails wait; whoever registers need not.
  if (authServeMail.sends) authServeHealth.add('mail', async () => ({ down: authServeMail.isFailing() }), { required: false })
  if (!authServeRateLimit.shared) return
  authServeHealth.add('redis', async () => {
    if (authServeRateLimit.isDegraded()) throw new CodedError('SERVICE_UNAVAILABLE', 'Redis is lost; limits are counted by each process alone.')
  }, { required: false })
}

/** At once where the database is there, in the background; later where it is not. */
function inviteFirstAdmin (app: FastifyInstance): void {
  const { authServe: { recovery: { inviteAdmin } }, authServeMaintenance } = app
  if (inviteAdmin === undefined) return
  authServeMaintenance.add(createAdminInvitationJob(inviteAdmin, app.log))
  app.addHook('onReady', done => {
    authServeMaintenance.run()
    done()
  })
}

function addMetrics ({ authServeAuth: { feed, keyRing }, authServeBreakers: breakers, authServeDb: { auditSeals, outbox, webhookDeliveries: deliveries }, authServeMail: mail, authServeWebhooks: webhooks, authServeMetrics }: FastifyInstance): void {
  addServiceMetrics(authServeMetrics.registry, { feed, keyRing, breakers })
  addAuditMetrics(authServeMetrics.registry, { auditSeals })
  addMailMetrics(authServeMetrics.registry, { outbox, mail })
  addWebhookMetrics(authServeMetrics.registry, { deliveries, webhooks })
}

/**
 * The authentication service as one encapsulated plugin: register it under a prefix of your own, more than once if you
 * like. The order below is the architecture: each concern stands on those before it.
 *
 * @throws TypeError for options that are not valid, naming every one.
 */
async function authServe (app: FastifyInstance, options: AuthServeOptions): Promise<void> {
  const { apiPrefix, publicUrl, docs, metrics, pages, notFound } = parseOptions('options', AuthServeOptionsSchema, options)

  await app.register(loggingPlugin)
  const logging = app.authServeLogging
  if (metrics) await app.register(metricsPlugin)
  const principals = new WeakMap<FastifyRequest, { actorId: string, sessionId: string }>()
  const onEvent = (event: AuditEvent, context: RequestContext): void => { logging.event(null, { ...event, ...context }) }
  let noteRefusal = (_request: FastifyRequest): void => {}
  const hooks = createEventHooks(options.hooks, app.log)
  await app.register(outputPlugin)
  await app.register(securityHeadersPlugin, { https: publicUrl?.startsWith('https:') ?? false })
  // Before errors: the routes that answer preflights are no paths of the API.
  await app.register(corsPlugin, { ...options.cors, openPaths: ['/.well-known/jwks.json', '/.well-known/revocations.json'] })
  await app.register(errorsPlugin, {
    notFound,
    onProblem (error, request) {
      logging.add(request, { errorCode: error.code })
      if (error.code === 'FORBIDDEN') {
        logging.event(request, { type: 'authz_fail', outcome: 'failure', ...principals.get(request) })
        noteRefusal(request)
      }
      if (error.code !== 'INVALID_INPUT') return
      const fields = error.errors?.map(({ path, code }) => ({ path: logging.maskPath(request, path), code }))
      request.log.debug({ fields, input: logging.describeInput(request) }, 'input refused')
    }
  })
  await app.register(healthPlugin, options.health ?? {})
  const { breakers = {} } = options
  if ('instance' in breakers) app.decorate('authServeBreakers', breakers.instance)
  else await app.register(breakerPlugin, breakers)
  await app.register(dbPlugin, options.database)
  await app.register(passwordsPlugin, options.passwords ?? {})
  await app.register(docsPlugin, { version, basePath: publicUrl === undefined ? '/' : new URL(publicUrl).pathname, path: docs ? '/docs' : null })
  if (pages) await app.register(pagesPlugin, { apiPath: apiPrefix, passwordMinLength: options.passwords?.minLength, passwordMinStrength: options.passwords?.minStrength })

  const { freshSessionSeconds, useFlushMs, maxTrackedUses, ...sessions } = options.sessions ?? {}
  await app.register(async routes => {
    await routes.register(inputPlugin, options.input ?? {})
    await routes.register(rateLimitPlugin, {
      keyPrefix: `auth-serve:${options.jwt.issuer}:`,
      ...options.rateLimit,
      onExceeded: request => logging.event(request, { type: 'excess_rate_limit_exceeded', outcome: 'failure' })
    })
    await routes.register(authPlugin, {
      ...options.jwt,
      secrets: options.secrets,
      roles: options.roles,
      freshSessionSeconds,
      useFlushMs,
      maxTrackedUses,
      accessTtlSeconds: sessions.accessTtlSeconds,
      revocation: options.revocation,
      onAuthenticated (request, { userId, sessionId }) {
        principals.set(request, { actorId: userId, sessionId })
        logging.add(request, { userId, sessionId })
      }
    })
    await routes.register(mailPlugin, { linkBase: `${publicUrl ?? 'http://localhost'}${app.prefix}/pages`, ...options.mail })
    if (publicUrl === undefined && options.mail?.linkBase === undefined && routes.authServeMail.sends) routes.log.warn('links in mails lead to http://localhost: set publicUrl or mail.linkBase')
    await routes.register(useCasesPlugin, {
      ...sessions,
      loginMaxFailures: options.login?.maxFailures,
      loginLockSeconds: options.login?.lockSeconds,
      loginForgetDays: options.login?.forgetDays,
      loginAddressMaxFailures: options.login?.addressMaxFailures,
      loginAddressWindowSeconds: options.login?.addressWindowSeconds,
      deviceTokenTtlSeconds: options.login?.deviceTokenTtlSeconds,
      ...options.accounts,
      onEvent,
      hooks
    })
    await routes.register(webhooksPlugin, { ...options.webhooks, onEvent, hooks })
    await routes.register(maintenancePlugin, { ...options.maintenance, onEvent, hooks })
    await routes.register(auditPlugin, { ...options.audit, version, hooks })
    noteRefusal = request => {
      const principal = principals.get(request)
      if (principal === undefined) return
      routes.authServeAudit.refusals.note({ ...principal, method: request.method, route: request.routeOptions.url ?? '' }, routes.authServe.contextOf(request))
    }
    const rotateKeysWhenDue = createRotateKeysWhenDue(routes.authServeAuth)
    routes.authServeMaintenance.add({
      name: 'rotate-keys',
      async run (stores, record) {
        await rotateKeysWhenDue(stores, record)
        return false
      }
    })
    inviteFirstAdmin(routes)
    for (const job of [...routes.authServeMail.purgeJobs, ...routes.authServeWebhooks.jobs]) routes.authServeMaintenance.add(job)
    addReadinessChecks(routes)
    if (metrics) addMetrics(routes)
    routes.addHook('onRequest', async (_request, reply) => { reply.header('cache-control', 'no-store') })
    await routes.register(serviceRoutes, { version, apiPrefix, docs, metrics })
    await routes.register(apiRoutes, { prefix: apiPrefix })
  })
}

export default authServe
export { authServe, type AuthServeOptions }
export type { MailTemplates, MailValues, RenderedMail } from './mail/mail-values.ts'
export type { HostTransport, OutgoingMail } from './mail/outgoing-mail.ts'
export type { EventHookCall, HookEvent, Hooks, UserHookCall } from './hooks/options.ts'
export { CodedError, type ErrorCode } from './errors.ts'
export { serverOptions } from './server-options.ts'

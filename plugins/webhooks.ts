import { Type, type Static } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { createAudit, type AuditEvent, type EventHooks, type RequestContext } from '../src/audit/audit.ts'
import type { Breakers, Guard } from '../src/breakers/breakers.ts'
import type { LeasedDelivery } from '../src/db/webhook-deliveries.ts'
import { startLeasingWorker, type LeasingWorker } from '../src/leasing/worker.ts'
import type { MaintenanceJob } from '../src/maintenance/maintenance.ts'
import { parseOptions } from '../src/options.ts'
import { createDeliverWebhook, type WebhookOutcome } from '../src/webhooks/deliver.ts'
import { createWebhookJobs } from '../src/webhooks/jobs.ts'
import { createPost } from '../src/webhooks/post.ts'
import { createReceivers } from '../src/webhooks/receivers.ts'
import { createWebhookAdmin, maxWebhooks, type WebhookAdmin } from '../src/webhooks/webhook-admin.ts'
import type { Auth } from './auth.ts'
import type { AuthServeDb } from './db.ts'

/** Options of the webhooks plugin. */
export const WebhooksOptionsSchema = Type.Object({
  decorator: Type.String({ default: 'authServeWebhooks' }),
  /** Name under which the db plugin decorated the instance. */
  dbDecorator: Type.String({ default: 'authServeDb' }),
  /** Name under which the auth plugin decorated the instance. */
  authDecorator: Type.String({ default: 'authServeAuth' }),
  /** Name under which the breaker plugin decorated the instance. */
  breakersDecorator: Type.String({ default: 'authServeBreakers' }),
  /** First part of the names of the breakers, one for each webhook: `webhook.<id>`. */
  breaker: Type.String({ default: 'webhook', pattern: '^[A-Za-z0-9][A-Za-z0-9_-]{0,19}$' }),
  /** Milliseconds that a receiver has to answer. */
  timeoutMs: Type.Integer({ minimum: 100, maximum: 60_000, default: 10_000 }),
  /** Deliveries that are made at once; one webhook takes up a quarter of them at most. */
  concurrency: Type.Integer({ minimum: 1, maximum: 100, default: 16 }),
  /** Seconds for which a delivery is tried before it is given up. */
  retrySeconds: Type.Integer({ minimum: 1, default: 259_200 }),
  /** Days for which deliveries are listed after they were made or given up. */
  retentionDays: Type.Integer({ minimum: 1, default: 7 }),
  /** Let webhooks lead to http: and to private, loopback and link-local addresses. */
  allowPrivate: Type.Boolean({ default: false }),
  /** Failures in a row after which a receiver is left alone for `pauseMs`. */
  threshold: Type.Integer({ minimum: 1, default: 5 }),
  pauseMs: Type.Integer({ minimum: 10, maximum: 3_600_000, default: 30_000 }),
  /** Seconds for which the secret from before a rotation signs, too. */
  secretGraceSeconds: Type.Integer({ minimum: 0, maximum: 2_592_000, default: 86_400 }),
  /** Milliseconds between two looks for what is owed. */
  pollMs: Type.Integer({ minimum: 10, maximum: 60_000, default: 1000 }),
  /** Milliseconds that a stop waits for deliveries under way. */
  closeTimeoutMs: Type.Integer({ minimum: 0, default: 3000 }),
  /** Told of each event of the audit trail once it is stored, for logs. */
  onEvent: Type.Optional(Type.Unsafe<OnEvent>(Type.Function([Type.Any(), Type.Any()], Type.Void()))),
  /** Hooks of the host. */
  hooks: Type.Optional(Type.Unsafe<EventHooks>(Type.Any()))
}, { additionalProperties: false })

type OnEvent = (event: AuditEvent, context: RequestContext) => void

export type WebhooksOptions = Partial<Static<typeof WebhooksOptionsSchema>>

/** What the plugin decorates. */
export interface AuthServeWebhooks {
  /** What administrators do with webhooks. */
  admin: WebhookAdmin
  /** Tries so far in this process, by what became of them. */
  tries(): Record<WebhookOutcome['outcome'], number>
  /** For maintenance: what removes what is over, and keeps the secrets. */
  jobs: MaintenanceJob[]
}

declare module 'fastify' {
  interface FastifyInstance { authServeWebhooks: AuthServeWebhooks }
}

/** Seconds of a lease beyond the time for a try: what the database may take before and after. */
const leaseMarginSeconds = 30
/** The part of the deliveries under way that may be for one webhook. */
const sharePerWebhook = 0.25

const unguarded: Guard = async call => await call({ signal: new AbortController().signal })

/** A breaker for each webhook, where the breaker plugin is registered. */
function receiversOf (app: FastifyInstance, { breakersDecorator, breaker, threshold, pauseMs }: Static<typeof WebhooksOptionsSchema>) {
  const breakers = app.hasDecorator(breakersDecorator) ? app.getDecorator<Breakers>(breakersDecorator) : undefined
  const nameOf = (webhookId: string): string => `${breaker}.${webhookId}`
  return createReceivers({
    // A request has a bound of its own.
    guardOf: id => breakers?.policy(nameOf(id), { timeoutMs: 0, threshold, resetMs: pauseMs, judge: () => 'failure' }) ?? unguarded,
    forget: id => breakers?.forget(nameOf(id)),
    max: 2 * maxWebhooks
  })
}

/** Tells operators of what was not delivered; never where to, or what it says. */
function logOutcome ({ log }: FastifyInstance, { eventId, webhookId, attempts }: LeasedDelivery, result: WebhookOutcome): void {
  const details = { webhookId, eventId, attempts }
  if (!('error' in result)) log.debug({ ...details, outcome: result.outcome }, 'a webhook was dealt with')
  else if (result.outcome === 'retried') log[attempts === 1 ? 'warn' : 'debug']({ ...details, reason: result.error }, 'a webhook did not take an event; trying again')
  else log.error({ ...details, reason: result.error }, result.outcome === 'failed' ? 'a webhook did not take an event, which is given up' : 'a webhook answered 410 and is told of no more events')
}

/**
 * Tells programs of the events of the audit trail, as Standard Webhooks say: owed in the transaction of the event, sent
 * in the background. Throws TypeError for options that are not valid.
 */
async function webhooks (app: FastifyInstance, options: WebhooksOptions): Promise<void> {
  const settings = parseOptions('webhooks', WebhooksOptionsSchema, options)
  const database = app.getDecorator<AuthServeDb>(settings.dbDecorator)
  const { secrets } = app.getDecorator<Auth>(settings.authDecorator)
  const audit = createAudit(database, (event, context) => settings.onEvent?.(event, context), settings.hooks)
  const receivers = receiversOf(app, settings)
  const tries = { delivered: 0, retried: 0, failed: 0, disabled: 0, discarded: 0, postponed: 0 }
  /** Told once. */
  const locked = new Set<string>()
  let worker: LeasingWorker | undefined
  app.decorate(settings.decorator, {
    admin: createWebhookAdmin({ ...settings, database, audit, secrets, onDue: () => { worker?.nudge() } }),
    tries: () => tries,
    jobs: createWebhookJobs({
      ...settings,
      secrets,
      receivers,
      onGivenUp (deliveries) { app.log.error({ deliveries }, 'webhooks that are away did not take events, which are given up') },
      onLocked (webhookId) {
        if (!locked.has(webhookId)) app.log.warn({ webhookId }, 'the secret of a webhook is sealed under an AUTH_SECRET that is not configured; rotate it')
        locked.add(webhookId)
      }
    })
  } satisfies AuthServeWebhooks)

  const deliver = createDeliverWebhook({ ...settings, database, audit, secrets, receivers, post: createPost(settings) })
  const share = Math.ceil(settings.concurrency * sharePerWebhook)
  const leaseSeconds = settings.timeoutMs / 1000 + leaseMarginSeconds
  app.addHook('onReady', async () => {
    worker = startLeasingWorker({
      ...settings,
      name: 'list of what webhooks are owed',
      lease: async limit => await database.webhookDeliveries.lease({ limit, share, load: receivers.load(share), leaseSeconds }),
      giveBack: database.webhookDeliveries.giveBack,
      work: deliver,
      isSchemaReady: database.isSchemaReady,
      onOutcome (lease, result) {
        tries[result.outcome]++
        logOutcome(app, lease, result)
      },
      log: app.log
    })
  })
  // While requests in flight finish, not after them: a receiver that hangs must not add its time to theirs.
  let closing: Promise<void> | undefined
  app.addHook('preClose', done => {
    closing = worker?.close(settings.closeTimeoutMs)
    done()
  })
  app.addHook('onClose', async () => { await closing })
}

export const webhooksPlugin = fp(webhooks, { name: 'auth-serve-webhooks', fastify: '5.x', dependencies: ['auth-serve-db', 'auth-serve-auth'] })
export default webhooksPlugin

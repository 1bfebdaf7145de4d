import { setTimeout as delay } from 'node:timers/promises'
import { Type, type Static } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { createAudit, type EventHooks } from '../src/audit/audit.ts'
import { createMonthJobs, createSealJob } from '../src/audit/jobs.ts'
import { createLifecycle } from '../src/audit/lifecycle.ts'
import { createRefusals, type Refusals } from '../src/audit/refusals.ts'
import { isContended } from '../src/db/failures.ts'
import { startMaintenance, type Maintenance } from '../src/maintenance/maintenance.ts'
import { parseOptions } from '../src/options.ts'
import type { Auth } from './auth.ts'
import type { AuthServeDb } from './db.ts'

/** Options of the audit plugin. */
export const AuditOptionsSchema = Type.Object({
  decorator: Type.String({ default: 'authServeAudit' }),
  dbDecorator: Type.String({ default: 'authServeDb' }),
  authDecorator: Type.String({ default: 'authServeAuth' }),
  /** Name under which the maintenance plugin decorated the instance. */
  maintenanceDecorator: Type.String({ default: 'authServeMaintenance' }),
  /** Seconds between two sealings, give or take a fifth. */
  sealSeconds: Type.Number({ exclusiveMinimum: 0, maximum: 86_400, default: 10 }),
  /** Days for which the trail is kept; 0 keeps it for good. */
  retentionDays: Type.Integer({ minimum: 0, maximum: 36_500, default: 365 }),
  /** Events of one seal; making it keeps the process from its requests. */
  batchSize: Type.Integer({ minimum: 1, maximum: 5000, default: 500 }),
  /** Seals of one round; what is left waits for the next one. */
  maxBatches: Type.Integer({ minimum: 1, maximum: 100_000, default: 200 }),
  /** Refusals that may wait for the trail, and the milliseconds that they do. */
  maxRefusals: Type.Integer({ minimum: 0, maximum: 10_000, default: 200 }),
  refusalDelayMs: Type.Integer({ minimum: 1, default: 1000 }),
  /** Record starts and stops; for the service that has a process of its own. */
  lifecycle: Type.Boolean({ default: false }),
  /** Hooks of the host, for refusals. */
  hooks: Type.Optional(Type.Unsafe<EventHooks>(Type.Any())),
  /** What is started, for the record. */
  version: Type.String({ default: 'unknown' })
}, { additionalProperties: false })

export type AuditOptions = Partial<Static<typeof AuditOptionsSchema>>

/** The audit trail of a scope. */
export interface AuthServeAudit {
  /** The sealer: `run` seals now what waits. */
  sealing: Maintenance
  refusals: Refusals
}

declare module 'fastify' {
  interface FastifyInstance { authServeAudit: AuthServeAudit }
}

/** Milliseconds that the end waits for the last events: no outage may keep a process from its exit. */
const closeWaitMs = 1000

/** Seals the audit trail in the background, makes and drops its months, and writes what accompanies no change. */
async function auditTrail (app: FastifyInstance, options: AuditOptions): Promise<void> {
  const settings = parseOptions('audit', AuditOptionsSchema, options)
  const database = app.getDecorator<AuthServeDb>(settings.dbDecorator)
  const { secrets } = app.getDecorator<Auth>(settings.authDecorator)
  const maintenance = app.getDecorator<Maintenance>(settings.maintenanceDecorator)
  const sealing = startMaintenance({
    audit: createAudit(database, () => {}),
    lock: 'audit-sealing',
    isSchemaReady: database.isSchemaReady,
    isContended,
    intervalMs: settings.sealSeconds * 1000,
    maxBatches: settings.maxBatches,
    log: app.log
  })
  sealing.add(createSealJob({ secrets, batchSize: settings.batchSize, log: app.log }))
  for (const job of createMonthJobs({ secrets, retentionDays: settings.retentionDays })) maintenance.add(job)
  const refusals = createRefusals({ database, audit: createAudit(database, () => {}, settings.hooks), max: settings.maxRefusals, delayMs: settings.refusalDelayMs, log: app.log })
  const lifecycle = settings.lifecycle ? createLifecycle(database, { version: settings.version }) : undefined
  app.decorate(settings.decorator, { sealing, refusals } satisfies AuthServeAudit)

  if (lifecycle !== undefined) {
    maintenance.add(lifecycle.startupJob)
    // In the background: a database that is away is told when it is there.
    app.addHook('onReady', done => {
      maintenance.run()
      done()
    })
  }
  app.addHook('onClose', async () => {
    await sealing.close()
    if (!database.isSchemaReady()) return
    const last = Promise.all([refusals.flush(), lifecycle?.recordShutdown().catch(error => { app.log.warn({ err: error }, 'the shutdown could not be written to the audit trail') })])
    await Promise.race([last, delay(closeWaitMs, undefined, { ref: false })])
  })
}

export const auditPlugin = fp(auditTrail, { name: 'auth-serve-audit', fastify: '5.x', dependencies: ['auth-serve-db', 'auth-serve-auth', 'auth-serve-maintenance'] })
export default auditPlugin

import { Type, type Static } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { createAudit, type AuditEvent, type EventHooks, type RequestContext } from '../src/audit/audit.ts'
import { isContended } from '../src/db/failures.ts'
import { startMaintenance, type Maintenance } from '../src/maintenance/maintenance.ts'
import { createPurgeJobs } from '../src/maintenance/purge-jobs.ts'
import { parseOptions } from '../src/options.ts'
import type { AuthServeDb } from './db.ts'

/** Options of the maintenance plugin. */
export const MaintenanceOptionsSchema = Type.Object({
  decorator: Type.String({ default: 'authServeMaintenance' }),
  /** Name under which the db plugin decorated the instance. */
  dbDecorator: Type.String({ default: 'authServeDb' }),
  /** Milliseconds between two rounds, give or take a fifth. */
  intervalMs: Type.Integer({ minimum: 10, maximum: 86_400_000, default: 60_000 }),
  /** Rows that are removed in one transaction; the events of more would keep the process from its requests. */
  batchSize: Type.Integer({ minimum: 1, maximum: 5000, default: 200 }),
  /** Batches of one job in one round; what is left waits for the next round. */
  maxBatches: Type.Integer({ minimum: 1, maximum: 100_000, default: 250 }),
  /** Told of each event of the audit trail once it is stored, for logs. */
  onEvent: Type.Optional(Type.Unsafe<OnEvent>(Type.Function([Type.Any(), Type.Any()], Type.Void()))),
  /** Hooks of the host. */
  hooks: Type.Optional(Type.Unsafe<EventHooks>(Type.Any()))
}, { additionalProperties: false })

type OnEvent = (event: AuditEvent, context: RequestContext) => void

export type MaintenanceOptions = Partial<Static<typeof MaintenanceOptionsSchema>>

declare module 'fastify' {
  interface FastifyInstance { authServeMaintenance: Maintenance }
}

/**
 * Background jobs that one instance at a time runs: removes sessions that are over, and revocations and login counters
 * that are about nothing any more. Others join by `add`.
 */
async function maintenance (app: FastifyInstance, options: MaintenanceOptions): Promise<void> {
  const settings = parseOptions('maintenance', MaintenanceOptionsSchema, options)
  const database = app.getDecorator<AuthServeDb>(settings.dbDecorator)
  const audit = createAudit(database, (event, context) => settings.onEvent?.(event, context), settings.hooks)
  const running = startMaintenance({ ...settings, audit, isSchemaReady: database.isSchemaReady, isContended, log: app.log })
  for (const job of createPurgeJobs(settings.batchSize)) running.add(job)
  app.decorate(settings.decorator, running)
  app.addHook('onClose', async () => { await running.close() })
}

export const maintenancePlugin = fp(maintenance, { name: 'auth-serve-maintenance', fastify: '5.x', dependencies: ['auth-serve-db'] })
export default maintenancePlugin

import { Type, type Static } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { checkDependencies, type DependencyCheck, type DependencyReport } from '../src/health/check-dependencies.ts'
import { parseOptions } from '../src/options.ts'

/** Options of the health plugin. */
export const HealthOptionsSchema = Type.Object({
  decorator: Type.String({ default: 'authServeHealth' }),
  /** Milliseconds that one check may take before its dependency counts as down. */
  checkTimeoutMs: Type.Integer({ minimum: 10, default: 2000 })
}, { additionalProperties: false })

export type HealthOptions = Partial<Static<typeof HealthOptionsSchema>>

/** What the service depends on, and whether it can serve. */
export interface Health {
  /** Adds a dependency: `check` resolves while it is well and rejects while it is not. */
  add(name: string, check: DependencyCheck): void
  report(): Promise<DependencyReport>
}

declare module 'fastify' {
  interface FastifyInstance { authServeHealth: Health }
}

/** A register of dependencies for readiness; it is not ready once the server has begun to close. */
async function health (app: FastifyInstance, options: HealthOptions): Promise<void> {
  const { decorator, checkTimeoutMs } = parseOptions('health', HealthOptionsSchema, options)
  const checks = new Map<string, DependencyCheck>()
  let closing = false
  app.decorate(decorator, {
    add: (name: string, check: DependencyCheck) => { checks.set(name, check) },
    report: async () => await checkDependencies(checks, { closing, timeoutMs: checkTimeoutMs })
  })
  app.addHook('preClose', async () => { closing = true })
}

export const healthPlugin = fp(health, { name: 'auth-serve-health', fastify: '5.x' })
export default healthPlugin

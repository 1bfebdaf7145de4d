import { setTimeout as delay } from 'node:timers/promises'
import { Type, type Static } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { checkDependencies, type Dependency, type DependencyCheck, type DependencyReport } from '../src/health/check-dependencies.ts'
import { parseOptions } from '../src/options.ts'

/** Options of the health plugin. */
export const HealthOptionsSchema = Type.Object({
  decorator: Type.String({ default: 'authServeHealth' }),
  /** Milliseconds that one check may take before its dependency counts as down. */
  checkTimeoutMs: Type.Integer({ minimum: 10, default: 2000 }),
  /**
   * Milliseconds that a listening server goes on serving after it has turned unready, so that load balancers see it and
   * kept-alive clients, who are told `Connection: close` meanwhile, are not cut between two requests.
   */
  drainMs: Type.Integer({ minimum: 0, default: 0 })
}, { additionalProperties: false })

export type HealthOptions = Partial<Static<typeof HealthOptionsSchema>>

/** What the service depends on, and whether it can serve. */
export interface Health {
  /**
   * Adds a dependency: `check` resolves while it is well and rejects while it is not. One that is not `required`
   * (default: true) is told in the report and keeps nothing from being ready.
   */
  add(name: string, check: DependencyCheck, options?: { required?: boolean }): void
  report(): Promise<DependencyReport>
}

declare module 'fastify' {
  interface FastifyInstance { authServeHealth: Health }
}

/** A register of dependencies for readiness; it is not ready once the server has begun to close. */
async function health (app: FastifyInstance, options: HealthOptions): Promise<void> {
  const { decorator, checkTimeoutMs, drainMs } = parseOptions('health', HealthOptionsSchema, options)
  const dependencies = new Map<string, Dependency>()
  let closing = false
  app.decorate(decorator, {
    add: (name: string, check: DependencyCheck, { required = true }: { required?: boolean } = {}) => { dependencies.set(name, { check, required }) },
    report: async () => await checkDependencies(dependencies, { closing, timeoutMs: checkTimeoutMs })
  })
  app.addHook('preClose', async () => {
    closing = true
    if (app.server.listening) await delay(drainMs)
  })
  // Fastify says so on requests that begin now; those in flight learn it too, or their clients go on and are cut.
  app.addHook('onSend', (request, reply, _payload, done) => {
    if (closing && request.raw.httpVersionMajor < 2) reply.header('connection', 'close')
    done()
  })
}

export const healthPlugin = fp(health, { name: 'auth-serve-health', fastify: '5.x' })
export default healthPlugin

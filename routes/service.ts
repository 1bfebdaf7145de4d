import type { FastifyPluginAsync } from 'fastify'
import { healthRoute } from './service/health.ts'
import { jwksRoute } from './service/jwks.ts'
import { metricsRoute } from './service/metrics.ts'
import { readinessRoute } from './service/readiness.ts'
import { revocationsRoute } from './service/revocations.ts'
import { rootRoute, type RootOptions } from './service/root.ts'

/** What operators and machines ask; it stays at the prefix of the registration. */
export const serviceRoutes: FastifyPluginAsync<RootOptions & { metrics: boolean }> = async (app, { metrics, ...options }) => {
  await app.register(rootRoute, options)
  await app.register(healthRoute)
  await app.register(readinessRoute)
  await app.register(jwksRoute)
  await app.register(revocationsRoute)
  if (metrics) await app.register(metricsRoute)
}

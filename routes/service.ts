import type { FastifyPluginAsync } from 'fastify'
import { healthRoute } from './service/health.ts'
import { jwksRoute } from './service/jwks.ts'
import { readinessRoute } from './service/readiness.ts'
import { revocationsRoute } from './service/revocations.ts'
import { rootRoute, type RootOptions } from './service/root.ts'

/** What operators and machines ask; it stays at the prefix of the registration. */
export const serviceRoutes: FastifyPluginAsync<RootOptions> = async (app, options) => {
  await app.register(rootRoute, options)
  await app.register(healthRoute)
  await app.register(readinessRoute)
  await app.register(jwksRoute)
  await app.register(revocationsRoute)
}

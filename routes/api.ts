import type { FastifyPluginAsync } from 'fastify'
import { loginRoute } from './auth/login.ts'
import { registerRoute } from './auth/register.ts'
import { readMeRoute } from './users/read-me.ts'
import { updateMeRoute } from './users/update-me.ts'

/** The API, one file per operation. */
export const apiRoutes: FastifyPluginAsync = async app => {
  await app.register(registerRoute, { prefix: '/auth' })
  await app.register(loginRoute, { prefix: '/auth' })
  await app.register(readMeRoute, { prefix: '/users' })
  await app.register(updateMeRoute, { prefix: '/users' })
}

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type {} from '../../plugins/auth.ts'
import type {} from '../../plugins/breaker.ts'
import { breakerPageResponse } from '../../src/schemas/breaker.ts'

export const listBreakersRoute: FastifyPluginAsyncTypebox = async app => {
  app.route({
    method: 'GET',
    url: '/breakers',
    schema: {
      operationId: 'listBreakers',
      summary: 'List the circuit breakers',
      description: 'Answers the circuit breakers of this process, all on one page.',
      tags: ['admin'],
      response: { 200: breakerPageResponse('The circuit breakers of this process') }
    },
    config: { access: 'breakers:read' },
    handler: async () => ({ items: app.authServeBreakers.list(), nextCursor: null })
  })
}

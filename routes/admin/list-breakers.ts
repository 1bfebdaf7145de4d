import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type {} from '../../plugins/auth.ts'
import type {} from '../../plugins/breaker.ts'
import { BreakerSchema } from '../../src/schemas/breaker.ts'
import { Page } from '../../src/schemas/page.ts'

export const listBreakersRoute: FastifyPluginAsyncTypebox = async app => {
  app.route({
    method: 'GET',
    url: '/breakers',
    schema: {
      operationId: 'listBreakers',
      summary: 'List the circuit breakers',
      description: 'Answers the circuit breakers of this process, all on one page.',
      tags: ['admin'],
      response: { 200: Page(BreakerSchema, 'The circuit breakers of this process') }
    },
    config: { access: 'breakers:read' },
    handler: async () => ({ items: app.authServeBreakers.list(), nextCursor: null })
  })
}

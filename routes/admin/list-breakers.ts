import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type {} from '../../plugins/use-cases.ts'
import { BreakerSchema } from '../../src/schemas/breaker.ts'
import { Page, PageQuerySchema } from '../../src/schemas/page.ts'

export const listBreakersRoute: FastifyPluginAsyncTypebox = async app => {
  app.route({
    method: 'GET',
    url: '/breakers',
    schema: {
      operationId: 'listBreakers',
      summary: 'List the circuit breakers',
      description: 'Answers the circuit breakers of this process.',
      tags: ['admin'],
      querystring: PageQuerySchema,
      response: { 200: Page(BreakerSchema, 'A page of the circuit breakers of this process') }
    },
    config: { access: 'breakers:read' },
    handler: async request => await app.authServe.listBreakers(request.query)
  })
}

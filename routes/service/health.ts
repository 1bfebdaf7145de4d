import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'

const HealthSchema = Type.Object({ status: Type.Literal('ok') }, {
  description: 'The process lives',
  examples: [{ status: 'ok' }]
})

export const healthRoute: FastifyPluginAsyncTypebox = async app => {
  app.route({
    method: 'GET',
    url: '/health',
    schema: {
      operationId: 'readHealth',
      summary: 'Liveness',
      description: 'Answers 200 while the process lives, whatever its dependencies do.',
      tags: ['service'],
      response: { 200: HealthSchema }
    },
    config: { access: 'public', limit: false },
    logLevel: 'warn',
    handler: async () => ({ status: 'ok' as const })
  })
}

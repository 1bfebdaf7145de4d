import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import type {} from '../../plugins/health.ts'
import { CodedError } from '../../src/errors.ts'

const ReadinessSchema = Type.Object({
  status: Type.Literal('ready'),
  dependencies: Type.Record(Type.String(), Type.Object({
    status: Type.Union([Type.Literal('up'), Type.Literal('down')]),
    stalenessSeconds: Type.Optional(Type.Number({ minimum: 0, description: 'Of the revocation feed: for how long it has not heard anything new' }))
  }))
}, {
  description: 'The service can serve',
  examples: [{ status: 'ready', dependencies: { database: { status: 'up' }, revocationFeed: { status: 'up', stalenessSeconds: 1.2 } } }]
})

export const readinessRoute: FastifyPluginAsyncTypebox = async app => {
  app.route({
    method: 'GET',
    url: '/readiness',
    schema: {
      operationId: 'readReadiness',
      summary: 'Readiness',
      description: 'Answers 200 only while the service can serve; otherwise a problem whose `dependencies` tells the state of each.',
      tags: ['service'],
      response: { 200: ReadinessSchema }
    },
    config: { access: 'public', limit: false, errors: ['SERVICE_UNAVAILABLE'] },
    logLevel: 'warn',
    handler: async () => {
      const { ready, dependencies } = await app.authServeHealth.report()
      if (!ready) throw new CodedError('SERVICE_UNAVAILABLE', 'The service cannot serve yet; see dependencies.', { members: { dependencies } })
      return { status: 'ready' as const, dependencies }
    }
  })
}

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import type {} from '../../plugins/metrics.ts'

const MetricsSchema = Type.String({
  description: 'Metrics in the text format of Prometheus',
  examples: ['# HELP auth_serve_revocation_feed_entries Ended sessions and changed users that this process holds in memory\n# TYPE auth_serve_revocation_feed_entries gauge\nauth_serve_revocation_feed_entries 3\n']
})

export const metricsRoute: FastifyPluginAsyncTypebox = async app => {
  app.route({
    method: 'GET',
    url: '/metrics',
    schema: {
      operationId: 'readMetrics',
      summary: 'Metrics',
      description: 'Answers the metrics of this process for Prometheus (text format 0.0.4).',
      tags: ['service'],
      produces: ['text/plain'],
      response: { 200: MetricsSchema }
    },
    config: { access: 'public', limit: false },
    logLevel: 'warn',
    handler: async (_request, reply) => await reply.type(app.authServeMetrics.contentType).send(await app.authServeMetrics.text())
  })
}

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'

const RootSchema = Type.Object({
  name: Type.String(),
  version: Type.String(),
  links: Type.Object({
    api: Type.String(),
    health: Type.String(),
    readiness: Type.String(),
    docs: Type.Union([Type.String(), Type.Null()]),
    openapi: Type.Union([Type.String(), Type.Null()])
  })
}, {
  description: 'What this is and where its parts are',
  examples: [{
    name: 'auth-serve',
    version: '0.1.0',
    links: { api: '/api/v1', health: '/health', readiness: '/readiness', docs: '/docs', openapi: '/docs/json' }
  }]
})

export interface RootOptions { version: string, apiPrefix: string, docs: boolean }

export const rootRoute: FastifyPluginAsyncTypebox<RootOptions> = async (app, { version, apiPrefix, docs }) => {
  const at = (path: string): string => `${app.prefix}${path}`
  const links = {
    api: at(apiPrefix) || '/',
    health: at('/health'),
    readiness: at('/readiness'),
    docs: docs ? at('/docs') : null,
    openapi: docs ? at('/docs/json') : null
  }
  app.route({
    method: 'GET',
    url: '/',
    schema: {
      operationId: 'readService',
      summary: 'About this service',
      description: 'Answers name, version and links.',
      tags: ['service'],
      response: { 200: RootSchema }
    },
    config: { access: 'public' },
    handler: async () => ({ name: 'auth-serve', version, links })
  })
}

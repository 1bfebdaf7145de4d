import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type {} from '../../plugins/use-cases.ts'
import { KeySchema } from '../../src/schemas/key.ts'
import { Page } from '../../src/schemas/page.ts'

export const listKeysRoute: FastifyPluginAsyncTypebox = async app => {
  app.route({
    method: 'GET',
    url: '/keys',
    schema: {
      operationId: 'listKeys',
      summary: 'List the signing keys',
      description: 'Answers every key that signs or signed access tokens, without private parts, all on one page.',
      tags: ['admin'],
      response: { 200: Page(KeySchema, 'The signing keys') }
    },
    config: { access: 'keys:read' },
    handler: async () => ({ items: await app.authServe.listKeys(), nextCursor: null })
  })
}

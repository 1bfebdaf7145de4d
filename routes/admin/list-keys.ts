import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type {} from '../../plugins/use-cases.ts'
import { KeySchema } from '../../src/schemas/key.ts'
import { Page, PageQuerySchema } from '../../src/schemas/page.ts'

export const listKeysRoute: FastifyPluginAsyncTypebox = async app => {
  app.route({
    method: 'GET',
    url: '/keys',
    schema: {
      operationId: 'listKeys',
      summary: 'List the signing keys',
      description: 'Answers every key that signs or signed access tokens, without private parts.',
      tags: ['admin'],
      querystring: PageQuerySchema,
      response: { 200: Page(KeySchema, 'A page of the signing keys') }
    },
    config: { access: 'keys:read' },
    handler: async request => await app.authServe.listKeys(request.query)
  })
}

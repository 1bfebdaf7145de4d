import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type {} from '../../plugins/auth.ts'
import type {} from '../../plugins/use-cases.ts'
import { acceptedResponse } from '../../src/schemas/accepted.ts'
import { outboxMailExample } from '../../src/schemas/outbox.ts'
import { StrictObject } from '../../src/schemas/strict.ts'
import { Uuid } from '../../src/schemas/text.ts'

export const retryMailRoute: FastifyPluginAsyncTypebox = async app => {
  app.route({
    method: 'POST',
    url: '/outbox/:id/retry',
    schema: {
      operationId: 'retryMail',
      summary: 'Send a mail after all',
      description: 'A dead letter, or a mail that waits, is tried at once, and again for as long as a new one. A link in it is good from then on; where nothing is owed any more (the address was confirmed meanwhile, or a newer mail was sent) it is dropped. 404 for a mail that was sent.',
      tags: ['admin'],
      params: StrictObject({ id: Uuid({ description: 'Id of the mail', examples: [outboxMailExample.id] }) }),
      response: { 202: acceptedResponse('The mail is on its way') }
    },
    config: { access: 'outbox:write', errors: ['NOT_FOUND'] },
    handler: async (request, reply) => {
      await app.authServe.outbox.retry(request.params.id, app.authServeAuth.principal(request), app.authServe.contextOf(request))
      return await reply.code(202).send({})
    }
  })
}

import createSerializerCompiler from '@fastify/fast-json-stringify-compiler'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'

/**
 * Answers of the scope go out as their schemas declare: a host's serializers know its own schemas and envelopes, and
 * would change ours.
 */
async function output (app: FastifyInstance): Promise<void> {
  const compileSerializer = createSerializerCompiler()({}, {})
  app.setSerializerCompiler(route => compileSerializer({ ...route, httpStatus: route.httpStatus ?? '' }))
  app.addHook('preSerialization', function serializeAsDeclared (_request, reply, payload, done) {
    reply.serializer(reply.getSerializationFunction(String(reply.statusCode)) ?? JSON.stringify)
    done(null, payload)
  })
}

export const outputPlugin = fp(output, { name: 'auth-serve-output', fastify: '5.x' })
export default outputPlugin

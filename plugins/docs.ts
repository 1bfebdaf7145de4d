import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import { Type, type Static } from '@sinclair/typebox'
import type { FastifyInstance, FastifySchema, RouteOptions } from 'fastify'
import fp from 'fastify-plugin'
import { parseOptions } from '../src/options.ts'
import { nameComponents } from '../src/schemas/name-components.ts'
import { operationErrors } from '../src/schemas/operation-errors.ts'
import { problemResponses } from '../src/schemas/problem.ts'

/** Options of the docs plugin. */
export const DocsOptionsSchema = Type.Object({
  /** Name of the function that answers the OpenAPI document. */
  decorator: Type.String({ default: 'authServeOpenapi' }),
  version: Type.String(),
  /** Path that a proxy adds in front of the scope's own. */
  basePath: Type.String({ default: '/' }),
  /** Path of Swagger UI below the scope's prefix; null serves none. */
  path: Type.Union([Type.String({ pattern: '^/' }), Type.Null()], { default: '/docs' })
}, { additionalProperties: false })

export type DocsOptions = Pick<Static<typeof DocsOptionsSchema>, 'version'> & Partial<Static<typeof DocsOptionsSchema>>

declare module 'fastify' {
  interface FastifyInstance { authServeOpenapi: FastifyInstance['swagger'] }
  interface FastifySchema {
    /** Who may call the operation: `config.access` of its route. */
    'x-access'?: string
  }
}

const tags = [
  { name: 'auth', description: 'Registering and signing in' },
  { name: 'users', description: 'The signed-in person' },
  { name: 'admin', description: 'Administration' },
  { name: 'service', description: 'What operators and machines ask' }
]

/** Completes an operation by what its policy and input imply: who may call it and every error response. */
function describeOperation (schema: FastifySchema, route: RouteOptions): FastifySchema {
  const access = route.config?.access ?? 'public'
  const errors = operationErrors({ access, limited: route.config?.limit !== false, body: schema.body !== undefined || !['GET', 'HEAD'].includes([route.method].flat()[0] ?? ''), declared: route.config?.errors ?? [] })
  const responses = typeof schema.response === 'object' ? schema.response : {}
  const needs = access.includes(':') ? `Needs the permission \`${access}\`.` : access === 'fresh' ? 'Needs a session that was proven lately.' : undefined
  return {
    ...schema,
    description: [schema.description, needs].filter(part => part !== undefined).join(' '),
    'x-access': access,
    hide: false,
    security: access === 'public' ? [] : access === 'optional' ? [{ bearer: [] }, {}] : [{ bearer: [] }],
    response: { ...responses, ...problemResponses(errors) }
  }
}

/**
 * The OpenAPI 3.1 document of the scope, made from the schemas and policies of its routes, and Swagger UI for it.
 * Routes without `config.access` are not ours and stay out.
 */
async function docs (app: FastifyInstance, options: DocsOptions): Promise<void> {
  const { decorator, version, basePath, path } = parseOptions('docs', DocsOptionsSchema, options)
  // A document of the host leaves our routes out; ours takes them in again.
  app.addHook('onRoute', route => { route.schema = { ...route.schema, hide: true } })
  await app.register(swagger, {
    decorator,
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'auth-serve',
        version,
        description: 'Registration, login and profile. Every answer that is not a success is problem+json (RFC 9457).',
        license: { name: 'MIT', identifier: 'MIT' }
      },
      // Relative, so that "try it out" goes to wherever the page came from.
      servers: [{ url: basePath }],
      tags,
      components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } } }
    },
    transformObject: document => 'openapiObject' in document ? nameComponents(document.openapiObject) : document.swaggerObject,
    transform: ({ schema, url, route }) => route.config?.access === undefined
      ? { schema: { hide: true }, url }
      : { schema: describeOperation(schema, route), url }
  })
  if (path === null) return
  // In a scope of its own: these routes are the library's and follow none of our policies.
  await app.register(async scope => {
    // Swagger UI knows one name only; in this scope it means our document and not a host's.
    scope.decorate('swagger', app.getDecorator<FastifyInstance['swagger']>(decorator))
    await scope.register(swaggerUi, {
      routePrefix: path,
      staticCSP: true,
      // The page is served over plain http, too, and must find its assets there.
      transformStaticCSP: csp => csp.replace(/\s*upgrade-insecure-requests;?/, ''),
      uiConfig: { deepLinking: true }
    })
  })
}

export const docsPlugin = fp(docs, { name: 'auth-serve-docs', fastify: '5.x' })
export default docsPlugin

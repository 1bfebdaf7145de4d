import type { FastifyRequest } from 'fastify'
import { isNode } from './json-reference.ts'
import { createInputMasker, createPathMasker, type InputMasker, type PathMasker } from './mask-input.ts'

/** The input of a request as far as a log may show it. */
export interface InputDescription { body?: unknown, query?: unknown, params?: unknown }

interface Maskers { input: InputMasker, path: PathMasker }

const schemaKeys = { body: 'body', query: 'querystring', params: 'params', headers: 'headers' } as const
type Part = keyof typeof schemaKeys
const isPart = (part: string | undefined): part is Part => part !== undefined && Object.hasOwn(schemaKeys, part)

/** A body declared for each media type is any of them. */
function schemaOf (declared: unknown): unknown {
  if (!isNode(declared) || !isNode(declared.content)) return declared
  return { anyOf: Object.values(declared.content).map(media => isNode(media) ? media.schema : media) }
}

function createMaskers (declared: unknown, request: FastifyRequest): Maskers {
  const schema = schemaOf(declared)
  const { server } = request
  const find = (id: string): unknown => server.getSchema(id)
  return { input: createInputMasker(schema, find), path: createPathMasker(schema, find) }
}

/** Describes the input of requests by the schemas of their routes, each of which is compiled once. */
export function createRouteInput () {
  const compiled = new WeakMap<object, Maskers>()

  function maskersFor (request: FastifyRequest, part: Part): Maskers {
    const declared = request.routeOptions.schema?.[schemaKeys[part]]
    if (!isNode(declared)) return createMaskers(undefined, request)
    const maskers = compiled.get(declared) ?? createMaskers(declared, request)
    compiled.set(declared, maskers)
    return maskers
  }

  return {
    describeInput (request: FastifyRequest): InputDescription {
      const description: InputDescription = {}
      for (const part of ['body', 'query', 'params'] as const) {
        const value = request[part]
        if (value !== undefined && value !== null) description[part] = maskersFor(request, part).input(value)
      }
      return description
    },
    maskPath (request: FastifyRequest, pointer: string): string {
      const [, part] = pointer.split('/')
      return isPart(part) ? maskersFor(request, part).path(pointer) : createPathMasker(undefined)(pointer)
    }
  }
}

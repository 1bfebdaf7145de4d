import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify'
import type { Test } from 'tap'

interface Media { schema: object }
interface Operation { security?: object[], responses: Record<string, { content?: Record<string, Media>, headers?: Record<string, object> }> }
interface Document { paths: Record<string, Record<string, Operation>>, components: { schemas: Record<string, object> } }

export type ResponseCheck = (t: Test, request: InjectOptions, response: LightMyRequestResponse) => void

const pathPattern = (path: string): RegExp => new RegExp(`^${path.replaceAll(/[.*+?^$()|[\]\\]/g, '\\$&').replaceAll(/\{[^}]+\}/g, '[^/]+')}$`)

/**
 * Holds every answer to the OpenAPI document: the status is one that the operation declares, the media type too, the
 * body is valid, and the header fields that the contract promises are there.
 */
export async function createResponseCheck (app: FastifyInstance): Promise<ResponseCheck> {
  const document: Document = (await app.inject('/docs/json')).json()
  const ajv = new Ajv2020({ strict: false, allErrors: true })
  addFormats.default(ajv)
  ajv.addSchema(document, 'openapi')
  const routes = Object.entries(document.paths).map(([path, operations]) => ({ pattern: pathPattern(path), path, operations }))
  const validators = new Map<string, ValidateFunction>()

  const pointer = (...steps: string[]): string => steps.map(step => `/${encodeURIComponent(step.replaceAll('~', '~0').replaceAll('/', '~1'))}`).join('')
  function validator (ref: string): ValidateFunction {
    const known = validators.get(ref) ?? ajv.compile({ $ref: `openapi#${ref}` })
    validators.set(ref, known)
    return known
  }

  return (t, request, response) => {
    const url = String(request.url ?? request.path).split('?', 1)[0] ?? ''
    const method = (request.method ?? 'GET').toLowerCase()
    const name = `${method} ${url} ${response.statusCode}`
    const type = String(response.headers['content-type'] ?? '').split(';', 1)[0] ?? ''
    t.ok(response.headers['x-request-id'], `${name}: X-Request-Id`)
    if (response.statusCode >= 400) t.equal(type, 'application/problem+json', `${name}: problem+json`)
    if (response.statusCode === 429 || response.statusCode === 503) t.match(response.headers['retry-after'], /^[1-9][0-9]*$/, `${name}: Retry-After`)
    if (response.statusCode === 401) t.match(response.headers['www-authenticate'], /^Bearer/, `${name}: WWW-Authenticate`)
    const route = routes.find(({ pattern }) => pattern.test(url))
    const operation = route?.operations[method]
    if (route === undefined || operation === undefined) {
      if (response.statusCode < 400 || method === 'head') return
      const valid = validator('/components/schemas/Problem')
      t.ok(valid(response.json()), `${name}: a Problem`, { errors: valid.errors })
      return
    }
    if (!url.startsWith('/.well-known/') || response.statusCode >= 400) t.equal(response.headers['cache-control'], 'no-store', `${name}: no-store`)
    const declared = operation.responses[response.statusCode]
    if (declared === undefined) return t.fail(`${name}: the document does not declare this status`)
    if (declared.content === undefined) return t.equal(response.body, '', `${name}: no body`)
    if (declared.content[type] === undefined) return t.fail(`${name}: the document does not declare ${type}`)
    const valid = validator(pointer('paths', route.path, method, 'responses', String(response.statusCode), 'content', type, 'schema'))
    t.ok(valid(type.endsWith('json') ? response.json() : response.body), `${name}: as declared`, { errors: valid.errors, body: response.body })
  }
}

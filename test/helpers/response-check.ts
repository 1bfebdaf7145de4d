import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify'
import type { Test } from 'tap'

interface Media { schema: object }
interface Operation { security?: object[], responses: Record<string, { content?: Record<string, Media>, headers?: Record<string, object> }> }
interface Document { paths: Record<string, Record<string, Operation>>, components: { schemas: Record<string, object> } }

export type ResponseCheck = (t: Test, request: InjectOptions, response: LightMyRequestResponse) => void

const pathPattern = (path: string): RegExp => new RegExp(`^${path.replaceAll(/[.*+?^$()|[\]\\]/g, '\\$&').replaceAll(/\{[^}]+\}/g, '[^/]+')}$`)

// Compiling the meta-schema takes as long as starting an app: apps of one document share the check of it.
const ajv = new Ajv2020({ strict: false, allErrors: true })
addFormats.default(ajv)
const checks = new Map<string, ResponseCheck>()

/**
 * Holds every answer to the OpenAPI document: the status is one that the operation declares, the media type too, the
 * body is valid, and the header fields that the contract promises are there.
 */
export async function createResponseCheck (app: FastifyInstance): Promise<ResponseCheck> {
  const text = (await app.inject('/docs/json')).body
  const check = checks.get(text) ?? checkAgainst(JSON.parse(text), `openapi-${checks.size}`)
  checks.set(text, check)
  return check
}

function checkAgainst (document: Document, name: string): ResponseCheck {
  ajv.addSchema(document, name)
  const routes = Object.entries(document.paths).map(([path, operations]) => ({ pattern: pathPattern(path), path, operations }))
  const validators = new Map<string, ValidateFunction>()

  const pointer = (...steps: string[]): string => steps.map(step => `/${encodeURIComponent(step.replaceAll('~', '~0').replaceAll('/', '~1'))}`).join('')
  function validator (ref: string): ValidateFunction {
    const known = validators.get(ref) ?? ajv.compile({ $ref: `${name}#${ref}` })
    validators.set(ref, known)
    return known
  }

  return (t, request, response) => {
    const url = String(request.url ?? request.path).split('?', 1)[0] ?? ''
    const method = (request.method ?? 'GET').toLowerCase()
    const answer = `${method} ${url} ${response.statusCode}`
    const type = String(response.headers['content-type'] ?? '').split(';', 1)[0] ?? ''
    t.ok(response.headers['x-request-id'], `${answer}: X-Request-Id`)
    if (response.statusCode >= 400) t.equal(type, 'application/problem+json', `${answer}: problem+json`)
    if (response.statusCode === 429 || response.statusCode === 503) t.match(response.headers['retry-after'], /^[1-9][0-9]*$/, `${answer}: Retry-After`)
    if (response.statusCode === 401) t.match(response.headers['www-authenticate'], /^Bearer/, `${answer}: WWW-Authenticate`)
    const route = routes.find(({ pattern }) => pattern.test(url))
    const operation = route?.operations[method]
    if (route === undefined || operation === undefined) {
      if (response.statusCode < 400 || method === 'head') return
      const valid = validator('/components/schemas/Problem')
      t.ok(valid(response.json()), `${answer}: a Problem`, { errors: valid.errors })
      return
    }
    if (!url.startsWith('/.well-known/') || response.statusCode >= 400) t.equal(response.headers['cache-control'], 'no-store', `${answer}: no-store`)
    const declared = operation.responses[response.statusCode]
    if (declared === undefined) return t.fail(`${answer}: the document does not declare this status`)
    if (declared.content === undefined) return t.equal(response.body, '', `${answer}: no body`)
    if (declared.content[type] === undefined) return t.fail(`${answer}: the document does not declare ${type}`)
    const valid = validator(pointer('paths', route.path, method, 'responses', String(response.statusCode), 'content', type, 'schema'))
    t.ok(valid(type.endsWith('json') ? response.json() : response.body), `${answer}: as declared`, { errors: valid.errors, body: response.body })
  }
}

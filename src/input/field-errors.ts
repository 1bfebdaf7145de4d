import type { FieldError } from '../errors.ts'
import { settleAlternatives } from './alternatives.ts'
import { describe } from './describe.ts'
import type { Violation } from './violation.ts'

/** The parts of a request as Fastify names them. */
export type InputPart = 'body' | 'querystring' | 'params' | 'headers'

const roots: Record<InputPart, string> = { body: '/body', querystring: '/query', params: '/params', headers: '/headers' }

// A hostile body can break a schema a hundred thousand times; a person reads the first few.
const maxViolations = 200
const maxErrors = 50
const maxPathCharacters = 256

/**
 * Turns ajv's violations into field errors: JSON pointers (RFC 6901) into the request that point at a missing or
 * unknown property itself, stable codes, sentences that say what to fix and never repeat a value. Each is told once,
 * at most 50 of them. A body that is missing altogether is `required` at `/body`.
 */
export function toFieldErrors (violations: readonly Violation[], part: InputPart): FieldError[] {
  const root = roots[part]
  if (part === 'body' && violations.some(({ instancePath, data }) => instancePath === '' && data === null)) {
    return [{ path: root, code: 'required', message: 'Send a JSON object as the body.' }]
  }
  const settled = settleAlternatives(violations.slice(0, maxViolations))
  const mistyped = new Set(settled.filter(({ keyword }) => keyword === 'type').map(({ instancePath }) => instancePath))
  const errors = new Map<string, FieldError>()
  for (const violation of settled) {
    // What else is wrong with a value of the wrong type says nothing.
    if (violation.keyword !== 'type' && mistyped.has(violation.instancePath)) continue
    const path = clip(root + pointer(violation))
    const { code, message } = describe(violation)
    errors.set(`${code} ${path}`, { path, code, message })
    if (errors.size === maxErrors) break
  }
  return [...errors.values()]
}

function pointer ({ instancePath, params }: Violation): string {
  const name = params.missingProperty ?? params.additionalProperty ?? params.unevaluatedProperty
  return typeof name === 'string' ? `${instancePath}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}` : instancePath
}

/** A pointer may hold a name that the client made up, as long as a body; whole characters are cut off it. */
function clip (path: string): string {
  if (path.length <= maxPathCharacters) return path
  return `${[...path.slice(0, maxPathCharacters)].slice(0, -1).join('')}…`
}

import { shapeOf, type Shape } from './input-shape.ts'
import { unescapeSegment, type FindSchema } from './json-reference.ts'
import { safeText } from './scrub.ts'

/** Describes an input value for a log. */
export type InputMasker = (value: unknown) => unknown

/** Makes a JSON pointer to a wrong field fit for a log. */
export type PathMasker = (pointer: string) => string

const maxTextLength = 64
const maxItems = 10
const maxDepth = 8

function describe (value: unknown, shape: Shape | undefined, depth: number): unknown {
  if (shape?.masked === true) return '[masked]'
  if (value === null) return null
  if (Array.isArray(value)) {
    const items = shape?.items
    if (items === undefined || depth === maxDepth) return `[array of ${value.length}]`
    const shown = value.slice(0, maxItems).map(item => describe(item, items, depth + 1))
    return value.length > maxItems ? [...shown, `[${value.length - maxItems} more]`] : shown
  }
  if (typeof value === 'object') {
    if (depth === maxDepth) return '[object]'
    const entries = Object.entries(value)
    const described = entries.flatMap(([name, member]) => {
      const known = shape?.property(name)
      return known === undefined ? [] : [[name, describe(member, known, depth + 1)]]
    })
    const unknown = entries.length - described.length
    return Object.fromEntries(unknown === 0 ? described : [...described, ['unknownProperties', unknown]])
  }
  if (shape?.scalars.has(typeof value) !== true) return `[${typeof value}]`
  return typeof value === 'string' ? safeText(value, maxTextLength) : value
}

/**
 * Compiles a JSON Schema into a function that describes input: what is `x-sensitive` (or refers to nothing known) is
 * '[masked]', properties that the schema does not name are only counted, values of a type that it does not expect are
 * only named by type, text and arrays are cut.
 */
export function createInputMasker (schema: unknown, find?: FindSchema): InputMasker {
  const shape = shapeOf(schema, find)
  return value => describe(value, shape, 0)
}

const unknownSegment = '[unknown]'
const parts = new Set(['body', 'query', 'params', 'headers'])

/**
 * Compiles a JSON Schema into a function that keeps a JSON pointer such as `/body/email` as far as the schema names its
 * segments and ends it in `[unknown]` from there on: the name of an unknown property may itself be a secret.
 */
export function createPathMasker (schema: unknown, find?: FindSchema): PathMasker {
  const root = shapeOf(schema, find)
  return pointer => {
    const [, part, ...segments] = pointer.split('/')
    if (part === undefined) return ''
    if (!parts.has(part)) return `/${unknownSegment}`
    let kept = `/${part}`
    let shape: Shape | undefined = root
    for (const segment of segments) {
      const item: Shape | undefined = /^\d{1,9}$/.test(segment) ? shape.items : undefined
      shape = item ?? shape.property(unescapeSegment(segment))
      if (shape === undefined) return `${kept}/${unknownSegment}`
      kept += `/${segment}`
    }
    return kept
  }
}

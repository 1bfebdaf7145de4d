type Kind = 'integer' | 'number' | 'boolean'
type SchemaNode = Record<string, unknown>

const integer = /^(?:0|-?[1-9]\d*)$/
const decimal = /^-?(?:0|[1-9]\d*)(?:\.\d+)?$/

/** Turns the text values of a query or path into what their schema declares, in place; others stay as they are. */
export type ReadValues = (values: Record<string, unknown>) => void

/**
 * Prepares the reading of a query or path schema: properties declared integer, number or boolean, and only those, are
 * read from text, in one spelling each ("1", never " 1 ", "1e2", "0x10" or ""), and a declared `default` stands in for
 * an absent value. What is not so spelled stays text and fails validation. ajv's own coercion takes all spellings.
 */
export function createValueReader (schema: unknown, shared: Record<string, unknown>): ReadValues {
  const declared = resolve(schema, shared).properties
  const readers = Object.entries(isNode(declared) ? declared : {}).map(([name, property]) => {
    const types = declaredTypes(property, shared)
    const kind = types.has('string') ? undefined : (['boolean', 'number', 'integer'] as const).find(type => types.has(type))
    return { name, kind, byDefault: resolve(property, shared).default }
  })
  return values => {
    for (const { name, kind, byDefault } of readers) {
      const value = values[name]
      if (value === undefined && byDefault !== undefined) values[name] = byDefault
      else if (typeof value === 'string' && kind !== undefined) values[name] = read(value, kind)
    }
  }
}

function read (text: string, kind: Kind): unknown {
  if (kind === 'boolean') return text === 'true' ? true : text === 'false' ? false : text
  const value = Number(text)
  if (kind === 'number') return decimal.test(text) && Number.isFinite(value) ? value : text
  // Beyond 2^53 the number would not be the one that was sent.
  return integer.test(text) && Number.isSafeInteger(value) ? value : text
}

const isNode = (value: unknown): value is SchemaNode => value !== null && typeof value === 'object'

function resolve (schema: unknown, shared: Record<string, unknown>): SchemaNode {
  if (!isNode(schema)) return {}
  return typeof schema.$ref === 'string' ? resolve(shared[schema.$ref.replace(/#$/, '')], shared) : schema
}

function declaredTypes (schema: unknown, shared: Record<string, unknown>): Set<unknown> {
  const { type, anyOf, oneOf } = resolve(schema, shared)
  const alternatives = [anyOf, oneOf].flatMap(list => Array.isArray(list) ? list : [])
  return new Set([type].flat().concat(alternatives.flatMap(option => [...declaredTypes(option, shared)])))
}

/** A JSON Schema that is an object; the other ones are `true` and `false`. */
export type SchemaNode = Readonly<Record<string, unknown>>

/** A schema together with the document that its references are relative to. */
export interface Place { readonly node: SchemaNode, readonly root: SchemaNode }

/** Finds a schema of another document by its `$id`. */
export type FindSchema = (id: string) => unknown

export const isNode = (value: unknown): value is SchemaNode =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function findById (value: unknown, id: string, seen: Set<unknown>): SchemaNode | undefined {
  if (typeof value !== 'object' || value === null || seen.has(value)) return undefined
  seen.add(value)
  if (isNode(value) && value.$id === id) return value
  for (const child of Object.values(value)) {
    const found = findById(child, id, seen)
    if (found !== undefined) return found
  }
  return undefined
}

/** One segment of a JSON pointer as the name that it stands for (RFC 6901, 4). */
export const unescapeSegment = (segment: string): string => segment.replaceAll('~1', '/').replaceAll('~0', '~')

function follow (start: unknown, pointer: string): unknown {
  if (pointer === '') return start
  // Anchors and percent-encoding are not supported: such a reference counts as one that cannot be resolved.
  if (!pointer.startsWith('/') || pointer.includes('%')) return undefined
  let value = start
  for (const segment of pointer.slice(1).split('/').map(unescapeSegment)) {
    value = typeof value === 'object' && value !== null && Object.hasOwn(value, segment) ? Reflect.get(value, segment) : undefined
  }
  return value
}

/** The schema that a `$ref` means: `#`, `#/pointer`, `id`, `id#` or `id#/pointer`; nothing where it is unknown. */
export function resolveReference (ref: unknown, root: SchemaNode, find: FindSchema): Place | undefined {
  if (typeof ref !== 'string') return undefined
  const [id = '', pointer = ''] = ref.split('#', 2)
  const within = id === '' ? root : findById(root, id, new Set())
  const base = within ?? find(id)
  const node = follow(base, pointer)
  if (!isNode(node) || !isNode(base)) return undefined
  return { node, root: within === undefined ? base : root }
}

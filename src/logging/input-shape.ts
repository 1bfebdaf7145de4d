import { isNode, resolveReference, type FindSchema, type Place } from './json-reference.ts'

/** What a JSON Schema says about a value, as far as a log may show it. */
export interface Shape {
  /** Whether nothing of the value may be shown: some branch is sensitive, or a reference leads nowhere. */
  readonly masked: boolean
  /** The `typeof` of the scalars that the schema expects. */
  readonly scalars: ReadonlySet<string>
  /** The shape of a property that the schema names. */
  property(name: string): Shape | undefined
  /** The shape of the items of an array. */
  readonly items: Shape | undefined
}

const branchKeywords = ['allOf', 'anyOf', 'oneOf', 'if', 'then', 'else', 'dependentSchemas']

const listOf = (value: unknown): unknown[] => Array.isArray(value) ? value : isNode(value) ? [value] : []

/** The schemas that apply to one value at once: these, their branches and what they refer to. */
function collect (start: readonly Place[], find: FindSchema): { places: Place[], masked: boolean } {
  const places: Place[] = []
  const seen = new Set<unknown>()
  const queue = [...start]
  let masked = false
  for (const place of queue) {
    const { node, root } = place
    if (seen.has(node)) continue
    seen.add(node)
    places.push(place)
    if (node['x-sensitive'] === true || node.format === 'password' || '$dynamicRef' in node) masked = true
    for (const keyword of branchKeywords) {
      const branches = keyword === 'dependentSchemas' && isNode(node[keyword]) ? Object.values(node[keyword]) : listOf(node[keyword])
      for (const branch of branches) if (isNode(branch)) queue.push({ node: branch, root })
    }
    if (!('$ref' in node)) continue
    const target = resolveReference(node.$ref, root, find)
    if (target === undefined) masked = true
    else queue.push(target)
  }
  return { places, masked }
}

function scalarsOf (places: readonly Place[]): Set<string> {
  const scalars = new Set<string>()
  for (const { node } of places) {
    const types = Array.isArray(node.type) ? node.type : [node.type]
    for (const type of types) scalars.add(type === 'integer' ? 'number' : String(type))
    if ('const' in node) scalars.add(typeof node.const)
    for (const value of Array.isArray(node.enum) ? node.enum : []) scalars.add(typeof value)
  }
  return scalars
}

function childrenOf (places: readonly Place[]): { named: Map<string, Place[]>, items: Place[] } {
  const named = new Map<string, Place[]>()
  const items: Place[] = []
  for (const { node, root } of places) {
    for (const [name, child] of Object.entries(isNode(node.properties) ? node.properties : {})) {
      if (!named.has(name)) named.set(name, [])
      // `true` and `false` say nothing about the value, but its name is known.
      named.get(name)?.push({ node: isNode(child) ? child : {}, root })
    }
    for (const child of [...listOf(node.items), ...listOf(node.prefixItems)]) if (isNode(child)) items.push({ node: child, root })
  }
  return { named, items }
}

function shapeAt (start: readonly Place[], find: FindSchema): Shape {
  const { places, masked } = collect(start, find)
  const { named, items } = childrenOf(places)
  const made = new Map<string, Shape>()
  let itemShape: Shape | undefined
  return {
    masked,
    scalars: scalarsOf(places),
    // Children are looked at when they are asked for: a recursive schema has no end.
    property (name) {
      const children = named.get(name)
      if (children === undefined) return undefined
      const shape = made.get(name) ?? shapeAt(children, find)
      made.set(name, shape)
      return shape
    },
    get items () {
      if (items.length === 0) return undefined
      itemShape ??= shapeAt(items, find)
      return itemShape
    }
  }
}

/** The shape that a JSON Schema gives to a value; `find` knows the schemas of other documents by `$id`. */
export function shapeOf (schema: unknown, find: FindSchema = () => undefined): Shape {
  return shapeAt(isNode(schema) ? [{ node: schema, root: schema }] : [], find)
}

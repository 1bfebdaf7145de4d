type Node = Record<string, unknown>

const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null && !Array.isArray(value)
const isNamedSchema = (node: Node): node is Node & { title: string } => typeof node.title === 'string' && typeof node.type === 'string'

/** A body that may be left out is declared as "this or null"; OpenAPI says it by `required: false` (Request Body Object). */
function relaxNullableBody (node: Node): void {
  if (!isNode(node.content)) return
  for (const media of Object.values(node.content)) {
    if (!isNode(media) || !isNode(media.schema) || !Array.isArray(media.schema.anyOf)) continue
    const [schema, ...others] = media.schema.anyOf.filter(variant => !isNode(variant) || variant.type !== 'null')
    if (others.length > 0 || media.schema.anyOf.length !== 2) continue
    media.schema = schema
    node.required = false
  }
}

/**
 * Moves every schema that has a title into the components of an OpenAPI document and puts a reference in its place, so
 * that generated clients have one type for it. Two schemas with one title must be the same.
 */
export function nameComponents<T extends object> (document: T): T {
  const components: Node = {}

  function visit (value: unknown): unknown {
    if (Array.isArray(value)) return value.map(visit)
    if (!isNode(value)) return value
    // Examples are data, whatever they look like.
    const node: Node = Object.fromEntries(Object.entries(value).map(([key, member]) => [key, key === 'example' || key === 'examples' ? member : visit(member)]))
    if (isNode(node.requestBody)) relaxNullableBody(node.requestBody)
    if (!isNamedSchema(node)) return node
    components[node.title] ??= node
    return { $ref: `#/components/schemas/${node.title}` }
  }

  const paths = 'paths' in document ? visit(document.paths) : {}
  const declared = 'components' in document && isNode(document.components) ? document.components : {}
  return { ...document, paths, components: { ...declared, schemas: components } }
}

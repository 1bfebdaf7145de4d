/** What ajv tells about one broken keyword; `schema`, `parentSchema` and `data` only with its option `verbose`. */
export interface Violation {
  keyword: string
  /** JSON pointer into the validated part (RFC 6901). */
  instancePath: string
  /** URI fragment of the keyword in its schema. */
  schemaPath: string
  params: Record<string, unknown>
  /** The keyword's value. */
  schema?: unknown
  /** The schema that the keyword stands in. */
  parentSchema?: Record<string, unknown> | undefined
  data?: unknown
}

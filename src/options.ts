import type { Static, TSchema } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'

/**
 * Checks a plugin's options against its schema and fills in the schema's defaults.
 *
 * @throws TypeError naming every wrong option, so that a host fails at start-up and not at the first request.
 */
export function parseOptions<T extends TSchema> (plugin: string, schema: T, options: unknown): Static<T> {
  const own = options !== null && typeof options === 'object' ? options : {}
  const withDefaults = Value.Default(schema, { ...own })
  if (Value.Check(schema, withDefaults)) return withDefaults
  const problems = [...Value.Errors(schema, withDefaults)].map(error => `${error.path || '/'}: ${error.message}`)
  throw new TypeError(`auth-serve ${plugin}: invalid options: ${[...new Set(problems)].join('; ')}`)
}

import { KindGuard } from '@sinclair/typebox'
import type { TSchema } from '@sinclair/typebox'
import { ConfigSchema } from './declaration.ts'

/** One setting of the declaration, read for loaders and for documentation. */
export interface Setting {
  /** Title of the section, for people. */
  title: string
  /** Name of the section in `Config`. */
  section: string
  /** Name of the setting in its section. */
  name: string
  /** The environment key. */
  key: string
  schema: TSchema
  /** Undefined where an absent value is worked out from other settings or stays absent. */
  default: unknown
  description: string
  derived: string | undefined
  example: string | undefined
  sensitive: boolean
  processOnly: boolean
}

const text = (value: unknown): string | undefined => typeof value === 'string' ? value : undefined

/** Every setting in the order of the declaration. */
export const settings: readonly Setting[] = Object.entries(ConfigSchema.properties).flatMap(([section, schema]) =>
  Object.entries<TSchema>(schema.properties).map(([name, setting]) => ({
    title: text(schema.title) ?? section,
    section,
    name,
    key: text(setting.env) ?? '',
    schema: setting,
    default: setting.default,
    description: text(setting.description) ?? '',
    derived: text(setting.derived),
    example: text(setting.example),
    sensitive: setting.sensitive === true,
    processOnly: setting.processOnly === true
  })))

/** The values that a setting of fixed words can take, or undefined for any other. */
export function wordsOf (schema: TSchema): string[] | undefined {
  if (!KindGuard.IsUnion(schema) || !schema.anyOf.every(KindGuard.IsLiteral)) return undefined
  return schema.anyOf.map(literal => String(literal.const))
}

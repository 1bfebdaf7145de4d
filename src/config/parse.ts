import { KindGuard } from '@sinclair/typebox'
import type { TSchema } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { wordsOf } from './settings.ts'
import type { Setting } from './settings.ts'

const booleans = new Map([['true', true], ['1', true], ['false', false], ['0', false]])

/** What a text from the environment means to a schema; a text that means nothing comes back as it is, to be refused. */
function interpret (schema: TSchema, text: string): unknown {
  if (KindGuard.IsInteger(schema)) return /^-?\d{1,15}$/.test(text) ? Number(text) : text
  if (KindGuard.IsBoolean(schema)) return booleans.get(text) ?? text
  if (KindGuard.IsArray(schema)) return text.split(',').map(item => item.trim())
  if (KindGuard.IsUnion(schema)) {
    // Among alternatives 1 is no boolean: TRUST_PROXY=1 means one hop elsewhere, and must not come to mean everybody.
    const variants = /^\d+$/.test(text) ? schema.anyOf.filter(variant => !KindGuard.IsBoolean(variant)) : schema.anyOf
    const meanings = variants.map(variant => ({ variant, value: interpret(variant, text) }))
    return meanings.find(({ variant, value }) => Value.Check(variant, value))?.value ?? text
  }
  return text
}

/** What a setting accepts, in words that complete "KEY must be ...". */
function expectation (schema: TSchema): string {
  if (typeof schema.expected === 'string') return schema.expected
  if (KindGuard.IsInteger(schema)) return `a whole number from ${schema.minimum} to ${schema.maximum}`
  if (KindGuard.IsBoolean(schema)) return 'true or false'
  return `one of ${wordsOf(schema)?.join(', ')}`
}

/** Reads one setting: its value, or the problem with it in a sentence that shows no sensitive value. */
export function parseSetting ({ key, schema, sensitive }: Setting, text: string): { value: unknown } | { problem: string } {
  const value = interpret(schema, text)
  if (Value.Check(schema, value)) return { value }
  const shown = sensitive ? '' : `, not ${JSON.stringify(text)}`
  return { problem: `${key} must be ${expectation(schema)}${shown}` }
}

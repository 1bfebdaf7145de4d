import type { Violation } from './violation.ts'

/** A stable code for machines, and a sentence that says what to do and never repeats what was sent. */
export interface Description { code: string, message: string }

const typeNames: Record<string, string> = {
  string: 'text',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a JSON object',
  null: 'null'
}

const formatMessages: Record<string, string> = {
  text: 'Leave out NUL characters and unpaired surrogates.',
  password: 'Leave out NUL characters and unpaired surrogates.',
  email: 'Give an e-mail address such as ada@example.com.',
  uuid: 'Give a UUID such as 01920000-0000-7000-8000-000000000001.',
  'date-time': 'Give a moment such as 2026-01-31T12:00:00Z.'
}

const invalid: Description = { code: 'invalid', message: 'Is not acceptable; see the API description.' }

const descriptions: Record<string, (violation: Violation) => Description> = {
  required: () => ({ code: 'required', message: 'Is required.' }),
  dependentRequired: () => ({ code: 'required', message: 'Is required here.' }),
  additionalProperties: () => ({ code: 'unknown', message: 'Is not known here; leave it out.' }),
  unevaluatedProperties: () => ({ code: 'unknown', message: 'Is not known here; leave it out.' }),
  type: describeType,
  minLength: ({ params }) => ({ code: 'too_short', message: params.limit === 1 ? 'Must not be empty.' : `Give at least ${params.limit} characters.` }),
  maxLength: ({ params }) => ({ code: 'too_long', message: `Give at most ${params.limit} characters.` }),
  minItems: ({ params }) => ({ code: 'too_short', message: `Give at least ${params.limit} items.` }),
  maxItems: ({ params }) => ({ code: 'too_long', message: `Give at most ${params.limit} items.` }),
  minProperties: ({ params }) => ({ code: 'too_short', message: `Give at least ${params.limit} of the properties.` }),
  maxProperties: ({ params }) => ({ code: 'too_long', message: `Give at most ${params.limit} of the properties.` }),
  uniqueItems: () => ({ code: 'duplicate', message: 'List each item once.' }),
  pattern: violation => ({ code: 'pattern', message: ownMessage(violation) ?? 'Has characters or a form that is not allowed.' }),
  format: violation => ({ code: 'format', message: ownMessage(violation) ?? formatMessages[String(violation.params.format)] ?? invalid.message }),
  enum: ({ params }) => describeChoice(params.allowedValues),
  const: ({ params }) => describeChoice([params.allowedValue]),
  minimum: ({ params }) => ({ code: 'minimum', message: `Give ${params.limit} or more.` }),
  exclusiveMinimum: ({ params }) => ({ code: 'minimum', message: `Give more than ${params.limit}.` }),
  maximum: ({ params }) => ({ code: 'maximum', message: `Give ${params.limit} or less.` }),
  exclusiveMaximum: ({ params }) => ({ code: 'maximum', message: `Give less than ${params.limit}.` }),
  oneOf: ({ params }) => describeNames('exactly_one', 'exactly one', params.names),
  anyOf: ({ params }) => describeNames('at_least_one', 'at least one', params.names)
}

/** Says what is wrong with one value, from the broken keyword and its schema alone. */
export function describe (violation: Violation): Description {
  return descriptions[violation.keyword]?.(violation) ?? invalid
}

function describeType ({ params, data }: Violation): Description {
  const types = [...new Set([params.type].flat().map(String))]
  // A query parameter that was given twice arrives as a list.
  const one = Array.isArray(data) && !types.includes('object') ? ', and only one' : ''
  return { code: 'type', message: `Must be ${types.map(type => typeNames[type] ?? type).join(' or ')}${one}.` }
}

function describeChoice (values: unknown): Description {
  return { code: 'enum', message: `Must be ${[values].flat().map(value => JSON.stringify(value)).join(' or ')}.` }
}

function describeNames (code: string, amount: string, names: unknown): Description {
  return Array.isArray(names) ? { code, message: `Give ${amount} of: ${names.join(', ')}.` } : invalid
}

/** `x-message` of a schema says in its own words what a pattern or format wants. */
function ownMessage ({ parentSchema }: Violation): string | undefined {
  const message = parentSchema?.['x-message']
  return typeof message === 'string' ? message : undefined
}

import { Ajv2020, type Options, type Schema, type ValidateFunction } from 'ajv/dist/2020.js'
import { invalidInput, type CodedError } from '../errors.ts'
import { toFieldErrors, type InputPart } from './field-errors.ts'
import { formats } from './formats.ts'
import { createValueReader } from './query-values.ts'

type SharedSchemas = Record<string, unknown>

/** Answers `true`, or the CodedError INVALID_INPUT that names every wrong field. */
export type Validator = (data: unknown) => true | { error: CodedError }
export type ValidatorCompiler = (route: { schema: unknown, httpPart?: string }) => Validator

// JSON Schema 2020-12 is the dialect of OpenAPI 3.1, so a schema means the same here and in the document.
const dialect: Options = {
  strict: true,
  // A `required` inside `oneOf` names properties that the schema around it declares.
  strictRequired: false,
  allowUnionTypes: true,
  allErrors: true,
  verbose: true,
  addUsedSchema: false,
  logger: false,
  formats,
  keywords: ['x-sensitive', 'x-message', 'example', 'externalDocs', 'xml']
}

/** What was compiled of schemas that refer to no other: a second service in this process has the very same ones. */
const compiled = new WeakMap<object, ValidateFunction>()
const compiler = new Ajv2020(dialect)

function compileAlone (schema: Schema): ValidateFunction {
  if (typeof schema === 'boolean') return compiler.compile(schema)
  const validate = compiled.get(schema) ?? compiler.compile(schema)
  compiled.set(schema, validate)
  // The compiler itself would keep them for good.
  compiler.removeSchema(schema)
  return validate
}

/**
 * Makes the compiler of a scope's input schemas. Nothing is coerced or dropped; only in query and path the declared
 * numbers and booleans are read from text and defaults filled in (createValueReader). `shared` holds the schemas that
 * `$ref` may name, by `$id`; only those that are named have to be in our dialect. An unknown keyword or format throws.
 */
export function createValidatorCompiler (shared: SharedSchemas): ValidatorCompiler {
  const ajv = Object.keys(shared).length === 0 ? undefined : new Ajv2020(dialect)
  return ({ schema, httpPart }) => {
    const part = toInputPart(httpPart)
    if (!isSchema(schema)) throw new TypeError(`the ${part} schema is not a JSON schema`)
    if (ajv !== undefined) addReferenced(ajv, schema, shared)
    const validate = ajv?.compile(schema) ?? compileAlone(schema)
    const readValues = part === 'querystring' || part === 'params' ? createValueReader(schema, shared) : undefined
    return data => {
      if (isRecord(data)) readValues?.(data)
      if (validate(data)) return true
      // The violations carry the values (`verbose`): they end here, reach no logger and do not stay with the validator.
      const violations = validate.errors ?? []
      validate.errors = null
      return { error: invalidInput(toFieldErrors(violations, part)) }
    }
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> => value !== null && typeof value === 'object'
const isSchema = (value: unknown): value is Schema => typeof value === 'boolean' || (isRecord(value) && !Array.isArray(value))

function toInputPart (part: string | undefined): InputPart {
  return part === 'querystring' || part === 'params' || part === 'headers' ? part : 'body'
}

/** Hands ajv the shared schemas that this one refers to, and those that they refer to. */
function addReferenced (ajv: Ajv2020, schema: unknown, shared: SharedSchemas): void {
  const pending = [schema]
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    if (!isRecord(node)) continue
    const id = typeof node.$ref === 'string' ? node.$ref.split('#', 1)[0] : undefined
    const target = id === undefined ? undefined : shared[id]
    if (id !== undefined && isSchema(target) && ajv.schemas[id] === undefined) {
      ajv.addSchema(target, id)
      pending.push(target)
    }
    pending.push(...Object.values(node).filter(isRecord))
  }
}

import { safeText } from './scrub.ts'

/** An error as a log shows it. */
export interface SerializedError {
  type: string
  message?: string | undefined
  code?: string | undefined
  /** SQLSTATE of PostgreSQL. */
  sqlState?: string | undefined
  /** The constraint that the database saw broken. */
  constraint?: string | undefined
  stack?: string | undefined
  cause?: SerializedError | undefined
  /** The members of an AggregateError. */
  errors?: SerializedError[] | undefined
}

const maxDepth = 5
const maxMembers = 5
const maxMessageLength = 1000
const maxStackLength = 8000

const identifier = /^[\w$.-]{1,128}$/

/** Five characters with a digit; the classes of SQLSTATE leave out E, which Node's own codes (E2BIG) begin with. */
const sqlStatePattern = /^(?!E)(?=.*\d)[0-9A-Z]{5}$/

const property = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null && name in value ? Reflect.get(value, name) : undefined

const identifierOf = (value: unknown): string | undefined =>
  typeof value === 'string' && identifier.test(value) ? value : undefined

function sqlStateOf (error: unknown): string | undefined {
  const code = identifierOf(property(error, 'code'))
  return code !== undefined && sqlStatePattern.test(code) ? code : undefined
}

/** drizzle's DrizzleQueryError carries the statement and its parameters; postgres.js' PostgresError is its cause. */
const isQueryError = (error: Error): boolean => 'query' in error && 'params' in error

/** Messages that repeat what somebody sent: those of the database, and V8's of a SyntaxError, which quote the source. */
const quotesInput = (error: Error): boolean =>
  isQueryError(error) || error.name === 'PostgresError' || sqlStateOf(error) !== undefined || error instanceof SyntaxError

/** The frames of a stack without the message that it begins with, or nothing where they cannot be told apart. */
function framesOf (stack: string, message: string): string | undefined {
  const start = stack.indexOf(message)
  if (start === -1) return undefined
  return stack.slice(start + message.length).split('\n').filter(line => line.startsWith('    at ')).join('\n')
}

function typeOf (error: Error): string {
  const name = identifierOf(error.name) ?? 'Error'
  return name === 'Error' ? identifierOf(error.constructor.name) ?? name : name
}

function serializeAt (error: unknown, depth: number): SerializedError {
  if (typeof error === 'string') return { type: 'string', message: safeText(error, maxMessageLength) }
  if (!(error instanceof Error)) return { type: typeof error }
  const { message, stack = '', cause } = error
  const shown = quotesInput(error)
    ? { stack: framesOf(stack, message) }
    : { message: safeText(message, maxMessageLength), stack: safeText(stack, maxStackLength) }
  const origin = isQueryError(error) ? cause : error
  const sqlState = sqlStateOf(origin)
  const code = identifierOf(property(error, 'code'))
  const below = depth < maxDepth
  return {
    type: typeOf(error),
    ...shown,
    code: code === sqlState ? undefined : code,
    sqlState,
    constraint: identifierOf(property(origin, 'constraint_name')),
    cause: below && cause !== undefined && cause !== null ? serializeAt(cause, depth + 1) : undefined,
    errors: below && error instanceof AggregateError
      ? error.errors.slice(0, maxMembers).map(member => serializeAt(member, depth + 1))
      : undefined
  }
}

/**
 * Describes an error for a log: type, code, SQLSTATE, constraint, message and stack, and so for its causes, five deep.
 * Errors that quote input (database, parser) lose their messages, all others are scrubbed; no other property is taken:
 * postgres.js' `detail` and `where`, drizzle's `query` and `params` hold values of users. Never throws.
 */
export function serializeError (error: unknown): SerializedError {
  try {
    return serializeAt(error, 0)
  } catch {
    return { type: 'Error', message: '[not serializable]' }
  }
}

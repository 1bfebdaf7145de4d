/** One entry of the error catalogue: the HTTP status and the short, constant title of RFC 9457. */
export interface ErrorDefinition { readonly status: number, readonly title: string }

/**
 * Every error code that a client can meet, with its status and title. Codes are only ever added.
 * The OpenAPI document, docs/reference/errors.md and the problem answers are all made from this table.
 */
export const errorCatalogue = {
  MALFORMED_REQUEST: { status: 400, title: 'Malformed request' },
  INVALID_CREDENTIALS: { status: 401, title: 'Invalid credentials' },
  TOKEN_MISSING: { status: 401, title: 'Access token missing' },
  TOKEN_INVALID: { status: 401, title: 'Access token invalid' },
  TOKEN_EXPIRED: { status: 401, title: 'Access token expired' },
  TOKEN_STALE: { status: 401, title: 'Access token stale' },
  SESSION_REVOKED: { status: 401, title: 'Session revoked' },
  REFRESH_TOKEN_INVALID: { status: 401, title: 'Refresh token invalid' },
  REFRESH_TOKEN_REUSED: { status: 401, title: 'Refresh token reused' },
  FORBIDDEN: { status: 403, title: 'Forbidden' },
  ACCOUNT_DISABLED: { status: 403, title: 'Account disabled' },
  EMAIL_NOT_VERIFIED: { status: 403, title: 'E-mail address not verified' },
  PASSWORD_INCORRECT: { status: 403, title: 'Password incorrect' },
  REAUTHENTICATION_REQUIRED: { status: 403, title: 'Reauthentication required' },
  NOT_FOUND: { status: 404, title: 'Not found' },
  USER_NOT_FOUND: { status: 404, title: 'User not found' },
  SESSION_NOT_FOUND: { status: 404, title: 'Session not found' },
  METHOD_NOT_ALLOWED: { status: 405, title: 'Method not allowed' },
  USER_ALREADY_EXISTS: { status: 409, title: 'User already exists' },
  CONFLICT: { status: 409, title: 'Conflict' },
  PAYLOAD_TOO_LARGE: { status: 413, title: 'Payload too large' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, title: 'Unsupported media type' },
  INVALID_INPUT: { status: 422, title: 'Invalid input' },
  ACTION_TOKEN_INVALID: { status: 422, title: 'Action token invalid' },
  RATE_LIMITED: { status: 429, title: 'Too many requests' },
  TOO_MANY_ATTEMPTS: { status: 429, title: 'Too many attempts' },
  HEADERS_TOO_LARGE: { status: 431, title: 'Request header fields too large' },
  INTERNAL_ERROR: { status: 500, title: 'Internal error' },
  DATABASE_ERROR: { status: 500, title: 'Database error' },
  SERVICE_UNAVAILABLE: { status: 503, title: 'Service unavailable' },
  OVERLOADED: { status: 503, title: 'Overloaded' }
} as const satisfies Record<string, ErrorDefinition>

export type ErrorCode = keyof typeof errorCatalogue

/** One wrong field: `path` is a JSON pointer into the request such as `/body/email` (RFC 6901). */
export interface FieldError { path: string, code: string, message: string }

export interface CodedErrorOptions {
  /** Which fields are wrong; only with 409 and 422. */
  errors?: FieldError[]
  /** Seconds after which a retry makes sense; answered as `Retry-After` (RFC 9110, 10.2.3). */
  retryAfterSeconds?: number
  /** Further members of the problem (RFC 9457, 3.2) that say more than the code can. */
  members?: Record<string, unknown>
  /** What happened underneath; logged, never answered. */
  cause?: unknown
}

/**
 * An error that the service foresaw. The domain throws it and knows no HTTP; the errors plugin turns it into
 * problem+json. `detail` is shown to the client: it never holds a secret, SQL or a library's message.
 */
export class CodedError extends Error {
  readonly code: ErrorCode
  readonly errors: FieldError[] | undefined
  readonly retryAfterSeconds: number | undefined
  readonly members: Record<string, unknown> | undefined

  constructor (code: ErrorCode, detail: string, options: CodedErrorOptions = {}) {
    super(detail, 'cause' in options ? { cause: options.cause } : undefined)
    this.name = 'CodedError'
    this.code = code
    this.errors = options.errors
    this.retryAfterSeconds = options.retryAfterSeconds
    this.members = options.members
  }
}

/** A 422 that names wrong fields of the request body. */
export function invalidInput (errors: FieldError[]): CodedError {
  return new CodedError('INVALID_INPUT', 'The request is well formed, but some fields are not acceptable; see errors.', { errors })
}

/** Which of the two unique names another account holds. */
export interface TakenNames { email: boolean, username: boolean }

const emailTaken: FieldError = { path: '/body/email', code: 'taken', message: 'An account with this e-mail address exists already.' }
const usernameTaken: FieldError = { path: '/body/username', code: 'taken', message: 'This username is taken; choose another one.' }

/** The 409 that says which names are taken. */
export function userAlreadyExists (taken: TakenNames): CodedError {
  return new CodedError('USER_ALREADY_EXISTS', 'Another account has this e-mail address or username; see errors.', {
    errors: [...taken.email ? [emailTaken] : [], ...taken.username ? [usernameTaken] : []]
  })
}

import { CodedError, errorCatalogue, type ErrorCode } from './errors.ts'
import { problemType, type Problem } from './schemas/problem.ts'

/** Where a problem was met. */
export interface ProblemContext { instance: string, requestId: string }

/** What Fastify and Node.js call what only the HTTP layer can find wrong. */
const httpErrorCodes: Record<string, [ErrorCode, string]> = {
  FST_ERR_CTP_BODY_TOO_LARGE: ['PAYLOAD_TOO_LARGE', 'The body is larger than this service accepts.'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['UNSUPPORTED_MEDIA_TYPE', 'Send the body as application/json in UTF-8.'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['MALFORMED_REQUEST', 'The Content-Length does not match the body.'],
  FST_ERR_BAD_URL: ['MALFORMED_REQUEST', 'The path of the URL is not properly encoded.'],
  FST_ERR_MAX_PARAM_LENGTH: ['NOT_FOUND', 'There is nothing at this path.'],
  FST_ERR_NOT_FOUND: ['NOT_FOUND', 'There is nothing at this path.'],
  HPE_HEADER_OVERFLOW: ['HEADERS_TOO_LARGE', 'The request line and headers are larger than this service accepts.'],
  ERR_HTTP_REQUEST_TIMEOUT: ['MALFORMED_REQUEST', 'The request did not arrive in time.']
}

/** The path of a request target, without query, also where a proxy sent the absolute form (RFC 9112, 3.2.2). */
export const pathOf = (target: string): string => target.replace(/^https?:\/\/[^/?#]*/i, '').split(/[?#]/, 1)[0] ?? ''

/** Any error as one of the catalogue; what nobody foresaw becomes INTERNAL_ERROR with the original as its cause. */
export function toCodedError (error: unknown): CodedError {
  if (error instanceof CodedError) return error
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') {
    const known = httpErrorCodes[error.code]
    if (known !== undefined) return new CodedError(known[0], known[1], { cause: error })
  }
  if (error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number' && error.statusCode >= 400 && error.statusCode < 500) {
    // A limiter of the host may stand in front of ours.
    if (error.statusCode === 429) return new CodedError('RATE_LIMITED', 'Too many requests; slow down.', { retryAfterSeconds: 60, cause: error })
    return error.statusCode === 403 || error.statusCode === 404
      ? new CodedError('NOT_FOUND', 'There is nothing at this path.', { cause: error })
      : new CodedError('MALFORMED_REQUEST', 'The request could not be read.', { cause: error })
  }
  return new CodedError('INTERNAL_ERROR', 'Something went wrong on our side.', { cause: error })
}

/** The answer to an error, with members of its own for errors that say more (RFC 9457, 3.2). */
export function toProblem (error: CodedError, { instance, requestId }: ProblemContext): Problem {
  const { status, title } = errorCatalogue[error.code]
  return {
    type: problemType(error.code),
    title,
    status,
    detail: error.message,
    instance,
    code: error.code,
    requestId,
    ...error.errors === undefined ? {} : { errors: error.errors },
    ...error.members
  }
}

const tokenCodes = new Set<ErrorCode>(['TOKEN_INVALID', 'TOKEN_EXPIRED', 'TOKEN_STALE', 'SESSION_REVOKED'])

/** Header fields that belong to the answer: Retry-After with 429 and 503, the challenge of RFC 6750, 3 with 401. */
export function problemHeaders (error: CodedError): Record<string, string> {
  const { status } = errorCatalogue[error.code]
  const headers: Record<string, string> = { 'content-type': 'application/problem+json; charset=utf-8', 'cache-control': 'no-store' }
  if (status === 429 || status === 503) headers['retry-after'] = String(Math.max(1, Math.ceil(error.retryAfterSeconds ?? 1)))
  if (status === 401) headers['www-authenticate'] = tokenCodes.has(error.code) ? 'Bearer error="invalid_token"' : 'Bearer'
  return headers
}

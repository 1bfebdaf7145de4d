import type { ErrorCode } from '../errors.ts'

/** What of an operation decides which errors it can give. */
export interface OperationTraits {
  /** Its `config.access`. */
  access: string
  /** Counts against a limit of requests. */
  limited: boolean
  /** Reads a body. */
  body: boolean
  /** Codes that the route declares itself. */
  declared: readonly ErrorCode[]
}

const refusedTokens = ['TOKEN_MISSING', 'TOKEN_INVALID', 'TOKEN_EXPIRED', 'TOKEN_STALE', 'SESSION_REVOKED'] as const

/** Every code that an operation can answer: what its policy and its input imply, and what it declares. */
export function operationErrors ({ access, limited, body, declared }: OperationTraits): ErrorCode[] {
  const codes: ErrorCode[] = ['INVALID_INPUT', 'INTERNAL_ERROR', ...declared]
  if (limited) codes.push('RATE_LIMITED')
  if (access === 'fresh') codes.push('REAUTHENTICATION_REQUIRED')
  if (access.includes(':')) codes.push('FORBIDDEN')
  if (access !== 'public') codes.push('SERVICE_UNAVAILABLE', 'DATABASE_ERROR')
  if (access !== 'public' && access !== 'optional') codes.push(...refusedTokens)
  if (body) codes.push('MALFORMED_REQUEST', 'PAYLOAD_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE')
  return [...new Set(codes)]
}

import { CodedError } from '../errors.ts'
import { BulkheadRejectedError } from '../bulkhead.ts'

/** What the drivers beneath us call a connection that is not there. */
const connectionCodes = new Set([
  'CONNECTION_CLOSED', 'CONNECTION_ENDED', 'CONNECTION_DESTROYED', 'CONNECT_TIMEOUT',
  'ECONNREFUSED', 'ECONNRESET', 'ECONNABORTED', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'EAI_AGAIN', 'ENOENT', 'EACCES'
])

/**
 * SQLSTATEs of a server that cannot serve (PostgreSQL, appendix A): connection exceptions, refused authorization,
 * insufficient resources, shutdown and start-up, statement timeout, read-only, missing database.
 */
const outageState = /^(?:08...|28...|53...|57014|57P0.|25006|3D000)$/

/** A schema that has not been migrated yet: the service waits for it as it waits for the server. */
const schemaMissingState = /^(?:42P01|42703|3F000)$/

/** True where the database has no schema of ours, or an older one. */
export const isSchemaMissing = (error: unknown): boolean => codesOf(error).some(code => schemaMissingState.test(code))

/** True where the role of the connection may not do what was asked of it. */
export const isForbidden = (error: unknown): boolean => codesOf(error).includes('42501')

/** Deadlock, or a lock that was not to be had in time. */
const contendedState = /^(?:40P01|55P03)$/

function codesOf (error: unknown): string[] {
  const codes: string[] = []
  for (let cause = error, depth = 0; cause instanceof Error && depth < 5; cause = cause.cause, depth++) {
    if ('code' in cause && typeof cause.code === 'string') codes.push(cause.code)
  }
  return codes
}

/** True where the database could not be reached or could not serve; false for a caller's mistake or a conflict. */
export function isOutage (error: unknown): error is Error {
  return codesOf(error).some(code => connectionCodes.has(code) || outageState.test(code))
}

/** True where the audit trail has no place for this month: its partitions are made at start and by maintenance. */
function isMonthMissing (error: unknown): boolean {
  return codesOf(error).includes('23514') && error instanceof Error && 'table_name' in error && error.table_name === 'audit_events'
}

/** True where others held what was needed, so that the same may succeed a moment later. */
export function isContended (error: unknown): boolean {
  return codesOf(error).some(code => contendedState.test(code))
}

/** Read-only, or a full disk: writes are refused and reads go on, so the server is not away. */
const readsGoOnState = /^(?:25006|53100)$/

/**
 * What an error of the pool says of the database, for its circuit breaker: a `failure` is an outage, or a wait for a
 * connection or a statement that took too long; a full queue tells nothing; whatever else came is an `answer` (also an
 * error of the work inside a transaction, which the database had to begin).
 */
export function judgeDatabaseError (error: unknown): 'failure' | 'answer' | 'unknown' {
  if (error instanceof BulkheadRejectedError) return error.reason === 'timeout' ? 'failure' : 'unknown'
  return isOutage(error) && !codesOf(error).some(code => readsGoOnState.test(code)) ? 'failure' : 'answer'
}

/** True where the connection itself is of no more use: it broke, was never there, or the server ends it. */
export function isConnectionFailure (error: unknown): boolean {
  return codesOf(error).some(code => connectionCodes.has(code) || /^(?:08...|28...|57P0.|53300|3D000)$/.test(code))
}

/** True where the unique index of this name was violated (SQLSTATE 23505). */
export function isUniqueViolation (error: unknown, constraint: string): boolean {
  for (let cause = error, depth = 0; cause instanceof Error && depth < 5; cause = cause.cause, depth++) {
    if (!('code' in cause) || cause.code !== '23505') continue
    return 'constraint_name' in cause && cause.constraint_name === constraint
  }
  return false
}

/** Turns whatever the database threw into an error of the catalogue: 503 for an outage and for a deadlock, 500 for the unforeseen. */
export function toDatabaseError (error: unknown): unknown {
  if (error instanceof CodedError) return error
  if (error instanceof BulkheadRejectedError) {
    return new CodedError('SERVICE_UNAVAILABLE', 'The database is too busy to take the request in time; try again.', { retryAfterSeconds: 1, cause: error })
  }
  if (isContended(error)) return new CodedError('SERVICE_UNAVAILABLE', 'Somebody else changed the same at this moment; try again.', { retryAfterSeconds: 1, cause: error })
  if (isOutage(error) || isMonthMissing(error) || isSchemaMissing(error)) {
    return new CodedError('SERVICE_UNAVAILABLE', 'A service that this one depends on does not answer; try again.', { retryAfterSeconds: 1, cause: error })
  }
  if (codesOf(error).some(code => /^[0-9A-Z]{5}$/.test(code))) {
    return new CodedError('DATABASE_ERROR', 'The database gave an answer that was not expected.', { cause: error })
  }
  return error
}

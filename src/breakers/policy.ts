import { Type, type Static } from '@sinclair/typebox'
import { CodedError, errorCatalogue } from '../errors.ts'

/**
 * What an error says of the dependency: it could not serve (`failure`), it served and this is its answer (`answer`), or
 * the call never got far enough to tell (`unknown`). Only failures open a breaker.
 */
export type Verdict = 'failure' | 'answer' | 'unknown'

export type Judge = (error: unknown) => Verdict

/** How calls to one dependency are guarded. */
export const BreakerPolicySchema = Type.Object({
  /** Failures in a row that open the breaker. */
  threshold: Type.Integer({ minimum: 1, default: 5 }),
  /** Milliseconds after which an open breaker lets one call through to find out. */
  resetMs: Type.Integer({ minimum: 10, maximum: 3_600_000, default: 1000 }),
  /** Milliseconds that a call may take, its wait for a turn included; 0 where the dependency has a bound of its own. */
  timeoutMs: Type.Integer({ minimum: 0, maximum: 3_600_000, default: 10_000 }),
  /** Tries after a failed first one; only for calls that say they are idempotent. */
  retries: Type.Integer({ minimum: 0, maximum: 10, default: 0 }),
  /** Milliseconds before the first of these, growing and jittered from there. */
  retryDelayMs: Type.Integer({ minimum: 1, maximum: 60_000, default: 100 }),
  /** Calls at once; absent for no bound. */
  concurrency: Type.Optional(Type.Integer({ minimum: 1 })),
  /** Calls that may wait for a turn where `concurrency` bounds them. */
  queue: Type.Integer({ minimum: 0, default: 0 }),
  judge: Type.Optional(Type.Unsafe<Judge>(Type.Function([Type.Any()], Type.Any())))
}, { additionalProperties: false })

export type BreakerPolicy = Static<typeof BreakerPolicySchema>
export type BreakerPolicyOptions = Partial<BreakerPolicy>

/** Where a policy has no judge: a coded error below 500 is an answer, any other error a failure. */
export function judgeByDefault (error: unknown): Verdict {
  return error instanceof CodedError && errorCatalogue[error.code].status < 500 ? 'answer' : 'failure'
}

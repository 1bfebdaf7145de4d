import type { DeliveryFailure } from '../db/webhook-deliveries.ts'
import { UnsealError } from '../keys/sealing.ts'
import type { Answer } from './post.ts'
import { TargetRefusedError } from './target.ts'

/** A receiver that answered, but not with a 2xx. */
export class ReceiverError extends Error {
  override readonly name = 'ReceiverError'
  readonly answer: Answer

  constructor (answer: Answer) {
    super(`HTTP ${answer.status}`)
    this.answer = answer
  }
}

/** Longest code that is kept. */
const maxLength = 60

function reasonOf (error: unknown): string {
  if (error instanceof ReceiverError || error instanceof TargetRefusedError) return error.message
  if (error instanceof UnsealError) return 'the secret is sealed under an AUTH_SECRET that is not configured: rotate it'
  if (!(error instanceof Error)) return 'failed'
  if (error.name === 'AbortError' || error.name === 'TimeoutError') return 'it took too long'
  // The code alone: messages name addresses that whoever reads this may not know.
  return 'code' in error && typeof error.code === 'string' ? error.code.slice(0, maxLength) : 'the connection failed'
}

/** A failure as operators are shown it, without URL, address or anything that the receiver said. */
export function describeFailure (error: unknown): DeliveryFailure & { retryAfterSeconds?: number | undefined } {
  const answer = error instanceof ReceiverError ? error.answer : undefined
  return { status: answer?.status ?? null, error: reasonOf(error), retryAfterSeconds: answer?.retryAfterSeconds }
}

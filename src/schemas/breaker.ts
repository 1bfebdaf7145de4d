import { Type, type Static } from '@sinclair/typebox'
import { Nullable } from './nullable.ts'
import { DateTime } from './text.ts'

export const breakerExample = {
  name: 'database',
  state: 'closed' as const,
  failureCount: 5,
  successCount: 1200,
  rejectedCount: 31,
  lastFailureAt: '2026-01-01T12:00:00.000Z',
  openedAt: null,
  responseTimeMs: { mean: 1.4, p95: 3.2 }
}

/** A circuit breaker as it stands; the counts begin at the start of this process. */
export const BreakerSchema = Type.Object({
  name: Type.String(),
  state: Type.Union([Type.Literal('closed'), Type.Literal('open'), Type.Literal('halfOpen')], {
    description: '"open" refuses every call, "halfOpen" all but the one that finds out whether the dependency is back'
  }),
  failureCount: Type.Integer({ minimum: 0, description: 'Calls that the dependency could not serve' }),
  successCount: Type.Integer({ minimum: 0, description: 'Calls that it answered, be it with a refusal' }),
  rejectedCount: Type.Integer({ minimum: 0, description: 'Calls that were answered 503 without being tried' }),
  lastFailureAt: Nullable(DateTime()),
  openedAt: Nullable(DateTime({ description: 'Since when it has not been closed; null while it is' })),
  responseTimeMs: Type.Object({
    mean: Nullable(Type.Number({ minimum: 0 })),
    p95: Nullable(Type.Number({ minimum: 0 }))
  }, { description: 'Of the latest calls, in milliseconds; null before the first' })
}, { title: 'Breaker', examples: [breakerExample] })
export type BreakerState = Static<typeof BreakerSchema>

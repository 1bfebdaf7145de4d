import type { WebhookEventRow } from '../db/webhook-deliveries.ts'

/** An event as programs are told of it: the Event of the API. */
export const toEvent = (row: WebhookEventRow) => ({
  id: row.id,
  type: row.type,
  outcome: row.outcome,
  occurredAt: row.occurredAt.toISOString(),
  actorId: row.actorId,
  targetId: row.targetId,
  sessionId: row.sessionId,
  requestId: row.requestId,
  ipAddress: row.ipAddress,
  userAgent: row.userAgent,
  details: row.details
})

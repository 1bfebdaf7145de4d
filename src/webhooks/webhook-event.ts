import type { AuditEvent } from '../audit/audit.ts'
import type { WebhookRow } from '../db/webhooks.ts'
import { CodedError } from '../errors.ts'
import type { Principal } from '../sessions/authenticate.ts'

export const webhookNotFound = (): CodedError => new CodedError('NOT_FOUND', 'There is no webhook with this id.')

/** The event of a change. Of the URL it names the origin alone: paths and queries of receivers are often secret. */
export function webhookEvent ({ userId, sessionId }: Principal, action: string, { id, url }: Pick<WebhookRow, 'id' | 'url'>, details: object = {}): AuditEvent {
  return { type: 'authz_admin', outcome: 'success', actorId: userId, sessionId, details: { action, webhookId: id, origin: new URL(url).origin, ...details } }
}

import { Type } from '@sinclair/typebox'
import type { Audit, RequestContext } from '../audit/audit.ts'
import type { OutboxRow } from '../db/outbox.ts'
import type { Database } from '../db/stores.ts'
import { CodedError } from '../errors.ts'
import type { Secrets } from '../keys/secrets.ts'
import { createCursors } from '../pagination/cursor.ts'
import { toPage } from '../pagination/to-page.ts'
import type { OutboxMail, OutboxQuery } from '../schemas/outbox.ts'
import type { Principal } from '../sessions/authenticate.ts'
import { orderedAt } from './addressee.ts'

/** What administrators do with the outbox. */
export interface OutboxAdmin {
  /** One page of the mails, newest first. Throws CodedError INVALID_INPUT for a cursor that is not of this list. */
  list(query: OutboxQuery): Promise<{ items: OutboxMail[], nextCursor: string | null }>
  /** Has a mail that was not sent tried at once, and again for as long as a new one. Throws CodedError NOT_FOUND where there is none such. */
  retry(id: string, principal: Principal, context: RequestContext): Promise<void>
}

export interface OutboxAdminDependencies {
  database: Database
  secrets: Secrets
  audit: Audit
  /** Told that there is something to send. */
  onRetry: () => void
}

const toMail = (row: OutboxRow): OutboxMail => ({
  id: row.id,
  template: row.template,
  to: row.recipient,
  status: row.status,
  attempts: row.attempts,
  lastError: row.lastError,
  createdAt: orderedAt(row.id).toISOString(),
  nextAttemptAt: row.status === 'pending' ? row.nextAttemptAt.toISOString() : null,
  sentAt: row.sentAt?.toISOString() ?? null
})

export function createOutboxAdmin ({ database, secrets, audit, onRetry }: OutboxAdminDependencies): OutboxAdmin {
  const cursors = createCursors({ secrets, list: 'outbox', position: Type.String() })
  return {
    async list ({ status, limit, cursor }) {
      const binding = [status ?? null]
      const after = cursor === undefined ? undefined : cursors.read(cursor, binding)
      const rows = await database.outbox.list({ status, after, limit: limit + 1 })
      return toPage(rows, limit, toMail, row => cursors.write(row.id, binding))
    },
    async retry (id, { userId, sessionId }, context) {
      await audit.transaction(context, async ({ outbox }, record) => {
        if (!await outbox.retryNow(id)) throw new CodedError('NOT_FOUND', 'There is no mail with this id that was not sent.')
        record({ type: 'authz_admin', outcome: 'success', actorId: userId, sessionId, details: { action: 'mail_retried', mailId: id } })
      })
      onRetry()
    }
  }
}

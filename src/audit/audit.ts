import type { Database, Stores } from '../db/stores.ts'

/** Names of the OWASP logging vocabulary; the same name stands in the audit trail and in the log. */
export type EventType =
  | 'user_created' | 'user_updated' | 'user_deleted'
  | 'session_created' | 'session_renewed' | 'session_expired'
  | 'authn_login_success' | 'authn_login_fail' | 'authn_login_lock'
  | 'authn_password_change' | 'authn_password_change_fail'
  | 'authn_token_created' | 'authn_token_revoked' | 'authn_token_reuse'
  | 'authz_fail' | 'authz_change' | 'authz_admin'

export interface AuditEvent {
  /** UUIDv7; one is made where none is given. */
  id?: string
  type: EventType
  outcome: 'success' | 'failure'
  actorId?: string
  targetId?: string
  sessionId?: string
  /** Facts that help whoever reads the trail; never a secret. */
  details?: Record<string, unknown>
}

/** Where a request came from, as the trail keeps it. */
export interface RequestContext { requestId: string | null, ipAddress: string | null, userAgent: string | null }

/** The service did it by itself, nobody asked for it. */
export const byItself: RequestContext = { requestId: null, ipAddress: null, userAgent: null }

export type RecordEvent = (event: AuditEvent) => void

export interface Audit {
  /** Runs `work` in a transaction and writes the events that it records in that transaction; they are logged once it has committed. */
  transaction<T>(context: RequestContext, work: (stores: Stores, record: RecordEvent) => Promise<T>): Promise<T>
  /** Writes events that accompany no change of data. */
  append(context: RequestContext, events: readonly AuditEvent[]): Promise<void>
}

/** Makes the audit trail; `log` is told of each event after it was stored. */
export function createAudit (database: Database, log: (event: AuditEvent, context: RequestContext) => void): Audit {
  return {
    async transaction (context, work) {
      const events: AuditEvent[] = []
      const result = await database.transaction(async stores => {
        const value = await work(stores, event => events.push(event))
        if (events.length > 0) await stores.auditEvents.append(events.map(event => ({ ...event, ...context })))
        return value
      })
      for (const event of events) log(event, context)
      return result
    },
    async append (context, events) {
      await database.auditEvents.append(events.map(event => ({ ...event, ...context })))
      for (const event of events) log(event, context)
    }
  }
}

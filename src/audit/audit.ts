import { v7 as uuidv7 } from 'uuid'
import type { Database, Stores } from '../db/stores.ts'
import type { EventType } from '../schemas/event.ts'

export type { EventType }

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

export type StoredEvent = AuditEvent & { id: string }

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
  /** Tells log and hooks of events that stand in the trail already, as something other than this wrote them. Never rejects. */
  announce(context: RequestContext, events: readonly StoredEvent[]): Promise<void>
}

/** What the hooks of a host make of the events of one transaction. */
export interface Telling {
  /** Before the commit. Rejects where a hook refuses: then nothing is changed. */
  before(): Promise<void>
  /** After it. Never rejects. */
  after(): Promise<void>
}

/** The hooks of a host, as the trail sees them; src/hooks makes them. */
export interface EventHooks {
  /** Reads what the hooks for these events are to be told. Throws what the database throws. */
  tell(stores: Stores, events: readonly StoredEvent[], context: RequestContext): Promise<Telling>
}

/** Rolls a transaction back that a hook refused: what the hook threw says nothing of the database. */
class RefusedByHook extends Error {}

/** Makes the audit trail; `log` is told of each event after it was stored, `hooks` before and after. */
export function createAudit (database: Database, log: (event: AuditEvent, context: RequestContext) => void, hooks?: EventHooks): Audit {
  /** Writes the events; answers what hooks make of them. */
  async function write (stores: Stores, events: readonly AuditEvent[], context: RequestContext): Promise<Telling | undefined> {
    if (events.length === 0) return undefined
    if (hooks === undefined) {
      await stores.auditEvents.append(events.map(event => ({ ...event, ...context })))
      return undefined
    }
    const known = events.map(event => ({ id: uuidv7(), ...event }))
    await stores.auditEvents.append(known.map(event => ({ ...event, ...context })))
    return await hooks.tell(stores, known, context)
  }

  return {
    async transaction (context, work) {
      const events: AuditEvent[] = []
      let telling: Telling | undefined
      let refusal: { error: unknown } | undefined
      const result = await database.transaction(async stores => {
        const value = await work(stores, event => events.push(event))
        telling = await write(stores, events, context)
        await telling?.before().catch(error => {
          refusal = { error }
          throw new RefusedByHook()
        })
        return value
      }).catch(error => { throw error instanceof RefusedByHook && refusal !== undefined ? refusal.error : error })
      for (const event of events) log(event, context)
      await telling?.after()
      return result
    },
    async append (context, events) {
      const telling = await write(database, events, context)
      for (const event of events) log(event, context)
      await telling?.after()
    },
    async announce (context, events) {
      for (const event of events) log(event, context)
      // Where the person of an event cannot be read no hook can be told; that what is stored was refused nobody may be told.
      const telling = await hooks?.tell(database, events, context).catch(() => undefined)
      await telling?.after()
    }
  }
}

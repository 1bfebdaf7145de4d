import { Type } from '@sinclair/typebox'
import type { AuditEventRow, EventPosition, EventSelection } from '../db/audit-events.ts'
import type { Database } from '../db/stores.ts'
import { invalidInput } from '../errors.ts'
import type { Secrets } from '../keys/secrets.ts'
import { createCursors, type CursorBinding } from '../pagination/cursor.ts'
import { toPage } from '../pagination/to-page.ts'
import type { Event, EventQuery } from '../schemas/event.ts'
import type { PageQuery } from '../schemas/page.ts'
import type { Principal } from '../sessions/authenticate.ts'
import { toEvent } from './to-event.ts'

interface EventPage { items: Event[], nextCursor: string | null }

/** Reading the trail, newest first. Each throws CodedError INVALID_INPUT for a cursor that is not of this very list. */
export interface AuditTrail {
  /** One page of what happened. Throws CodedError INVALID_INPUT also where `from` is not before `to`. */
  list(query: EventQuery): Promise<EventPage>
  /** One page of what a principal did, and of what was done to them. Where somebody else did it, how they came is theirs to know. */
  listOwn(principal: Principal, page: PageQuery): Promise<EventPage>
}

/** The moments that the database and JavaScript both write; an offset may lead out of them. */
const lastMoment = Date.UTC(9999, 11, 31)
const momentOf = (text: string | undefined): Date | undefined =>
  text === undefined ? undefined : new Date(Math.min(Math.max(Date.parse(text), 0), lastMoment))

/** Who acted is told, an id; the session (`askedWith` names it, too), the request and the address that they acted from are not. */
function asSeenBy (userId: string, event: Event): Event {
  if (event.actorId === null || event.actorId === userId) return event
  const { askedWith, ...details } = event.details
  return { ...event, sessionId: null, requestId: null, ipAddress: null, userAgent: null, details }
}

export function createAuditTrail ({ database, secrets }: { database: Database, secrets: Secrets }): AuditTrail {
  const cursors = createCursors({ secrets, list: 'events', position: Type.Tuple([Type.Integer(), Type.String()]) })

  async function readPage (selection: EventSelection, { limit, cursor }: PageQuery, binding: CursorBinding, toItem: (row: AuditEventRow) => Event): Promise<EventPage> {
    const [time = 0, id = ''] = cursor === undefined ? [] : cursors.read(cursor, binding)
    const after: EventPosition | undefined = cursor === undefined ? undefined : { occurredAt: new Date(time), id }
    const rows = await database.auditEvents.list(selection, { after, limit: limit + 1, order: 'newest' })
    return toPage(rows, limit, toItem, row => cursors.write([row.occurredAt.getTime(), row.id], binding))
  }

  return {
    async list ({ userId, type, from, to, ...page }) {
      const selection = { userId, type, from: momentOf(from), to: momentOf(to) }
      if (selection.from !== undefined && selection.to !== undefined && selection.from >= selection.to) {
        throw invalidInput([{ path: '/query/to', code: 'range', message: 'Give a moment that is later than from.' }])
      }
      return await readPage(selection, page, ['all', userId ?? null, type ?? null, from ?? null, to ?? null], toEvent)
    },
    listOwn: async ({ userId }, page) => await readPage({ userId }, page, ['own', userId], row => asSeenBy(userId, toEvent(row)))
  }
}

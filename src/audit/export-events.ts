import type { EventPosition, EventSelection } from '../db/audit-events.ts'
import type { Database } from '../db/stores.ts'
import type { Event } from '../schemas/event.ts'
import { toEvent } from './to-event.ts'

/** Events that are held at a time. */
const pageSize = 500

/** Reads the trail from its oldest event on, page by page: no transaction stays open, and no more is in memory than a page. */
export async function * exportEvents (database: Pick<Database, 'auditEvents'>, selection: EventSelection): AsyncGenerator<Event> {
  let after: EventPosition | undefined
  for (;;) {
    const rows = await database.auditEvents.list(selection, { after, limit: pageSize, order: 'oldest' })
    yield * rows.map(toEvent)
    after = rows.at(-1)
    if (rows.length < pageSize) return
  }
}

import { Type } from '@sinclair/typebox'
import type { SessionRow } from '../db/sessions.ts'
import type { Database } from '../db/stores.ts'
import type { Secrets } from '../keys/secrets.ts'
import { createCursors } from '../pagination/cursor.ts'
import { toPage } from '../pagination/to-page.ts'
import type { PageQuery } from '../schemas/page.ts'
import type { Session } from '../schemas/session.ts'
import type { Principal } from './authenticate.ts'
import { describeDevice } from './device.ts'

/** One page of the live sessions of a principal's user, newest first. Throws CodedError INVALID_INPUT for a cursor that is not of this list. */
export type ListSessions = (principal: Principal, page: PageQuery) => Promise<{ items: Session[], nextCursor: string | null }>

function toSession (row: SessionRow, currentId: string): Session {
  return {
    id: row.id,
    createdAt: row.createdAt.toISOString(),
    lastUsedAt: row.lastUsedAt.toISOString(),
    expiresAt: row.idleExpiresAt.toISOString(),
    ipAddress: row.ipAddress,
    userAgent: row.userAgent,
    device: describeDevice(row.userAgent),
    current: row.id === currentId
  }
}

export function createListSessions ({ database, secrets }: { database: Database, secrets: Secrets }): ListSessions {
  const cursors = createCursors({ secrets, list: 'sessions', position: Type.String() })
  return async ({ userId, sessionId }, { limit, cursor }) => {
    const after = cursor === undefined ? undefined : cursors.read(cursor, [userId])
    const rows = await database.sessions.listLive(userId, { after, limit: limit + 1 })
    return toPage(rows, limit, row => toSession(row, sessionId), row => cursors.write(row.id, [userId]))
  }
}

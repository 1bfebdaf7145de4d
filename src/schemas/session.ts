import { Type, type Static } from '@sinclair/typebox'
import { Nullable } from './nullable.ts'
import { DateTime, Uuid } from './text.ts'

export const sessionExample = {
  id: '01920000-0000-7000-8000-000000000002',
  createdAt: '2026-01-01T12:00:00.000Z',
  lastUsedAt: '2026-01-02T09:30:00.000Z',
  expiresAt: '2026-01-16T09:15:00.000Z',
  ipAddress: '203.0.113.7',
  userAgent: 'Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0',
  device: 'Firefox on Linux',
  current: true
}

/** A session as its owner sees it. */
export const SessionSchema = Type.Object({
  id: Uuid({ description: 'UUIDv7' }),
  createdAt: DateTime(),
  lastUsedAt: DateTime({ description: 'Noted once a minute at most' }),
  expiresAt: DateTime({ description: 'When it ends if nobody refreshes its tokens' }),
  ipAddress: Nullable(Type.String({ description: 'Where it was last opened, refreshed or reauthenticated from' })),
  userAgent: Nullable(Type.String({ description: 'What its client called itself then' })),
  device: Nullable(Type.String({ description: 'A short name made from `userAgent`, null where that says nothing' })),
  current: Type.Boolean({ description: 'Whether it is the one that this request belongs to' })
}, { title: 'Session', examples: [sessionExample] })
export type Session = Static<typeof SessionSchema>

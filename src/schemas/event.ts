import { Type, type Static } from '@sinclair/typebox'
import { Nullable } from './nullable.ts'
import { PageQuerySchema } from './page.ts'
import { StrictObject } from './strict.ts'
import { DateTime, Uuid } from './text.ts'

/** Names of the OWASP logging vocabulary; the same name stands in the audit trail and in the log. The one list of them. */
export const eventTypes = [
  'user_created', 'user_updated', 'user_deleted',
  'session_created', 'session_renewed', 'session_expired',
  'authn_login_success', 'authn_login_fail', 'authn_login_lock',
  'authn_password_change', 'authn_password_change_fail',
  'authn_token_created', 'authn_token_revoked', 'authn_token_reuse',
  'authz_fail', 'authz_change', 'authz_admin',
  'excess_rate_limit_exceeded',
  'sys_startup', 'sys_shutdown'
] as const

export type EventType = typeof eventTypes[number]

/** Those that are told by the log only: they come with traffic, and no change goes with them. */
const logged: readonly EventType[] = ['session_renewed', 'excess_rate_limit_exceeded']

/** Those that the audit trail holds, and webhooks are told of. */
export const trailEventTypes = eventTypes.filter(type => !logged.includes(type))

const type = Type.Union(eventTypes.map(name => Type.Literal(name)), { description: 'A name of the OWASP logging vocabulary' })

const eventExample = {
  id: '0199aaaa-bbbb-7ccc-8ddd-eeeeffff0004',
  type: 'authn_login_success' as const,
  outcome: 'success' as const,
  occurredAt: '2026-01-01T12:00:00.000Z',
  actorId: '0199aaaa-bbbb-7ccc-8ddd-eeeeffff0001',
  targetId: '0199aaaa-bbbb-7ccc-8ddd-eeeeffff0001',
  sessionId: '0199aaaa-bbbb-7ccc-8ddd-eeeeffff0002',
  requestId: '0199aaaa-bbbb-7ccc-8ddd-eeeeffff0005',
  ipAddress: '203.0.113.7',
  userAgent: 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
  details: {}
}

/** Something that happened, as the audit trail keeps it. */
export const EventSchema = Type.Object({
  id: Uuid(),
  type: Type.String({ description: 'A name of the OWASP logging vocabulary; more may come' }),
  outcome: Type.Union([Type.Literal('success'), Type.Literal('failure')]),
  occurredAt: DateTime(),
  actorId: Nullable(Uuid({ description: 'Who did it; null where nobody was signed in, and for what the service or its command line did' })),
  targetId: Nullable(Uuid({ description: 'To whom it was done' })),
  sessionId: Nullable(Uuid({ description: 'The session that it was done in, or that it was done to' })),
  requestId: Nullable(Type.String({ description: 'The X-Request-Id of the request' })),
  ipAddress: Nullable(Type.String()),
  userAgent: Nullable(Type.String({ description: 'At most 256 characters; of the command line, the command' })),
  details: Type.Record(Type.String(), Type.Unknown(), { description: 'Facts that depend on the type; never a secret, a name or an address of mail' })
}, { title: 'Event', examples: [eventExample] })
export type Event = Static<typeof EventSchema>

export const EventQuerySchema = StrictObject({
  userId: Type.Optional(Uuid({ description: 'Who did it, or to whom it was done' })),
  type: Type.Optional(type),
  from: Type.Optional(DateTime({ description: 'The first moment' })),
  to: Type.Optional(DateTime({ description: 'The first moment that does not count any more; later than `from`' })),
  ...PageQuerySchema.properties
})
export type EventQuery = Static<typeof EventQuerySchema>

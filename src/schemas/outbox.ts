import { Type, type Static } from '@sinclair/typebox'
import { Nullable } from './nullable.ts'
import { PageQuerySchema } from './page.ts'
import { StrictObject } from './strict.ts'
import { DateTime, Uuid } from './text.ts'

const status = Type.Union([Type.Literal('pending'), Type.Literal('sent'), Type.Literal('failed')], {
  description: '"pending" waits or is tried again, "failed" is a dead letter: it is tried when somebody asks for it'
})

export const outboxMailExample = {
  id: '0199aaaa-bbbb-7ccc-8ddd-eeeeffff0003',
  template: 'verify-email',
  to: 'ada@example.com',
  status: 'failed' as const,
  attempts: 3,
  lastError: 'EENVELOPE: Recipient command failed: 550 no such mailbox',
  createdAt: '2026-01-01T12:00:00.000Z',
  nextAttemptAt: null,
  sentAt: null
}

/** A mail of the outbox as administrators see it: never what it says. */
export const OutboxMailSchema = Type.Object({
  id: Uuid({ description: 'Also the first part of the Message-ID' }),
  template: Type.String({ description: 'Kind of the mail, as its header X-Template says' }),
  to: Nullable(Type.String({ description: 'Null where nobody has the name that somebody gave: then nothing is sent' })),
  status,
  attempts: Type.Integer({ minimum: 0, description: 'Tries so far' }),
  lastError: Nullable(Type.String({ description: 'Why the last try that failed did' })),
  createdAt: DateTime(),
  nextAttemptAt: Nullable(DateTime({ description: 'When it is tried next; null unless it is pending' })),
  sentAt: Nullable(DateTime())
}, { title: 'OutboxMail', examples: [outboxMailExample] })
export type OutboxMail = Static<typeof OutboxMailSchema>

export const OutboxQuerySchema = StrictObject({ status: Type.Optional(status), ...PageQuerySchema.properties })
export type OutboxQuery = Static<typeof OutboxQuerySchema>

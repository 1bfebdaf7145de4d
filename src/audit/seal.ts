import type { SealHead, WaitingEvent } from '../db/audit-seals.ts'
import type { Stores } from '../db/stores.ts'
import type { Secrets } from '../keys/secrets.ts'
import { macOfEvent, macOfMissing, macOfSeal, type SealContent } from './seal-macs.ts'

type NewSeal = Pick<SealContent, 'kind' | 'eventIds' | 'since' | 'until' | 'eventMacs'>

/** The month of a moment, as in 2026-01: of UTC, as the partitions are. */
export const monthOf = (moment: Date): string => moment.toISOString().slice(0, 7)

const inOrder = (one: WaitingEvent, other: WaitingEvent): number =>
  one.occurredAt.getTime() - other.occurredAt.getTime() || (one.id < other.id ? -1 : 1)

/** Hangs a seal onto the chain, in a transaction that holds the lock of sealing. Answers the new head. */
export async function appendSeal ({ auditSeals }: Stores, { current }: Secrets, seal: NewSeal): Promise<SealHead> {
  const { head, now } = await auditSeals.head()
  const content = { ...seal, sequence: (head?.sequence ?? 0) + 1, sealedAt: now, keyId: current.id }
  const mac = macOfSeal(current, content, head?.mac ?? null)
  await auditSeals.add({ ...content, mac })
  return { sequence: content.sequence, mac }
}

/** What one batch came to. */
export interface SealedBatch {
  /** The chain's head; undefined where nothing waited. */
  head?: SealHead
  /** Events that were removed before they came to be sealed: the seal keeps that in evidence. */
  missing: number
  /** There may be more. */
  more: boolean
}

/**
 * Seals events that wait, the oldest first, `batchSize` at most and of one month, in a transaction that holds the lock of
 * sealing. What another transaction commits later waits for a later seal, whatever its time, so no one who writes events
 * has to wait for anybody (docs/decisions/016-audit-trail.md).
 */
export async function sealBatch (stores: Stores, secrets: Secrets, batchSize: number): Promise<SealedBatch> {
  const waiting = await stores.auditSeals.waiting(batchSize)
  const [oldest] = waiting
  if (oldest === undefined) return { missing: 0, more: false }
  const month = monthOf(oldest.occurredAt)
  const batch = waiting.filter(({ occurredAt }) => monthOf(occurredAt) === month).sort(inOrder)
  const eventIds = batch.map(({ id }) => id)
  const times = batch.map(({ occurredAt }) => occurredAt)
  const eventMacs = Buffer.concat(batch.map(({ id, event }) => event === null ? macOfMissing(secrets.current, id) : macOfEvent(secrets.current, event)))
  const head = await appendSeal(stores, secrets, { kind: 'events', eventIds, since: times.at(0) ?? oldest.occurredAt, until: times.at(-1) ?? oldest.occurredAt, eventMacs })
  await stores.auditSeals.settle(eventIds)
  return { head, missing: batch.filter(({ event }) => event === null).length, more: waiting.length === batchSize || batch.length < waiting.length }
}

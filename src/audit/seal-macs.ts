import { createHmac } from 'node:crypto'
import type { SealedEvent, SealRow } from '../db/audit-seals.ts'
import type { Secret } from '../keys/secrets.ts'

/** Bytes of the MAC of one event: half of HMAC-SHA-256, which RFC 2104 (5) allows and nobody can forge. */
export const eventMacBytes = 16

/** What the MAC of a seal covers, beside the MAC of the seal before. */
export type SealContent = Omit<SealRow, 'mac'>

// Everything is written as JSON that begins with what it is, so that no two contents have one text (and none of an event is one of a seal).
const hmac = (secret: Secret, content: readonly unknown[]): Buffer => createHmac('sha256', secret.derive('audit')).update(JSON.stringify(content)).digest()

/**
 * The MAC of an event, over all that its row holds. Keyed, so that the seals, which outlive the events, tell nobody what
 * stood in them: an address could be guessed from a plain hash.
 */
export function macOfEvent (secret: Secret, event: SealedEvent): Buffer {
  const { id, type, outcome, occurredAt, actorId, targetId, sessionId, requestId, ipAddress, userAgent, details } = event
  const content = ['event', id, type, outcome, occurredAt.toISOString(), actorId, targetId, sessionId, requestId, ipAddress, userAgent, details]
  return hmac(secret, content).subarray(0, eventMacBytes)
}

/** Stands in a seal for an event that was removed before it came to be sealed. */
export const macOfMissing = (secret: Secret, id: string): Buffer => hmac(secret, ['missing', id]).subarray(0, eventMacBytes)

/** The MAC of a seal: over its content and the MAC of the seal before, null for the first one. */
export function macOfSeal (secret: Secret, { sequence, kind, sealedAt, eventIds, since, until, eventMacs, keyId }: SealContent, previous: Buffer | null): Buffer {
  return hmac(secret, [
    'seal', previous?.toString('base64url') ?? null, sequence, kind, sealedAt.toISOString(), since?.toISOString() ?? null, until.toISOString(), keyId,
    eventIds.length, eventIds, eventMacs.toString('base64url')
  ])
}

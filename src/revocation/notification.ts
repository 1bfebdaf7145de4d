import type { Revocation } from '../db/revocations.ts'

/** What one instance, or a trigger of the database, told every other. */
export type Notification =
  | { about: 'revocation', revocation: Revocation }
  | { about: 'keys' }
  | { about: 'heartbeat', nonce: string }

const uuid = '([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})'
const session = new RegExp(`^s ${uuid} (\\d{1,12})$`)
const user = new RegExp(`^u ${uuid} (\\d{1,10}) (\\d{1,12})$`)
const heartbeat = /^h (\S{1,100})$/

const moment = (seconds: string | undefined): Date => new Date(Number(seconds) * 1000)

/** The payload of a heartbeat. */
export const heartbeatPayload = (nonce: string): string => `h ${nonce}`

/** Reads a payload of the channel; undefined for what a later release may say. */
export function parseNotification (payload: string): Notification | undefined {
  if (payload === 'k') return { about: 'keys' }
  const [, sessionId, sessionUntil] = session.exec(payload) ?? []
  if (sessionId !== undefined) return { about: 'revocation', revocation: { kind: 'session', subjectId: sessionId, expiresAt: moment(sessionUntil) } }
  const [, userId, version, userUntil] = user.exec(payload) ?? []
  if (userId !== undefined) return { about: 'revocation', revocation: { kind: 'user', subjectId: userId, authzVersion: Number(version), expiresAt: moment(userUntil) } }
  const [, nonce] = heartbeat.exec(payload) ?? []
  return nonce === undefined ? undefined : { about: 'heartbeat', nonce }
}

import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Secret, Secrets } from '../keys/secrets.ts'

/** What a refresh token says: which session, which rotation of it, and the secret that only its holder knows. */
export interface RefreshToken {
  sessionId: string
  /** Number of the rotation that made it; the first one is 0. */
  n: number
  /** 256 random bits, the same for all tokens of a session; the database has only their hash. */
  secret: Buffer
}

/**
 * Canonical base64url, so that a token has one spelling:
 * `asr_1.<key id>.<session id>.<n>.<secret>.<mac>`, all in base64url but n. The MAC is keyed from AUTH_SECRET, so
 * neither a stolen database (it lacks the secret) nor a stolen AUTH_SECRET (it lacks the session's) forges one, and the
 * successor is derived instead of stored.
 */
const format = /^(asr_1\.([A-Za-z0-9_-]{8})\.([A-Za-z0-9_-]{21}[AQgw])\.(0|[1-9]\d{0,8})\.([A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]))\.([A-Za-z0-9_-]{42}[AEIMQUYcgkosw048])$/

const hexOf = (uuid: string): string => uuid.replaceAll('-', '')
const uuidOf = (hex: string): string => hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
const macOf = (secret: Secret, text: string): Buffer => createHmac('sha256', secret.derive('refresh-token')).update(text).digest()

/** A new secret for the refresh tokens of a session. */
export const createRefreshSecret = (): Buffer => randomBytes(32)

/** What of the secret is stored. It has 256 bits of entropy, so a plain hash is enough. */
export const hashRefreshSecret = (secret: Buffer): Buffer => createHash('sha256').update(secret).digest()

/** Writes a token under the current AUTH_SECRET. */
export function formatRefreshToken (secrets: Secrets, { sessionId, n, secret }: RefreshToken): string {
  const id = Buffer.from(hexOf(sessionId), 'hex').toString('base64url')
  const text = `asr_1.${secrets.current.id}.${id}.${n}.${secret.toString('base64url')}`
  return `${text}.${macOf(secrets.current, text).toString('base64url')}`
}

/** Reads a token; undefined for anything that none of the secrets made. */
export function parseRefreshToken (secrets: Secrets, token: string): RefreshToken | undefined {
  const [, text, keyId, id, n, secret, mac] = format.exec(token) ?? []
  if (text === undefined || keyId === undefined || id === undefined || secret === undefined || mac === undefined) return undefined
  const key = secrets.find(keyId)
  if (key === undefined || !timingSafeEqual(macOf(key, text), Buffer.from(mac, 'base64url'))) return undefined
  return { sessionId: uuidOf(Buffer.from(id, 'base64url').toString('hex')), n: Number(n), secret: Buffer.from(secret, 'base64url') }
}

import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Secret, Secrets } from '../keys/secrets.ts'

/** What a device token says. Times are milliseconds since the epoch, by the database's clock. */
export interface DeviceToken {
  /** 128 random bits in base64url: the same in every token of a device. */
  deviceId: string
  issuedAt: number
  expiresAt: number
}

/**
 * Canonical base64url, so that a token has one spelling: `asd_1.<key id>.<device id>.<issued at>.<expires at>.<mac>`. The
 * MAC is keyed from AUTH_SECRET and covers the account too, which the token does not name: for any other account it is
 * none.
 */
const format = /^(asd_1\.([A-Za-z0-9_-]{8})\.([A-Za-z0-9_-]{21}[AQgw])\.([1-9]\d{0,14})\.([1-9]\d{0,14}))\.([A-Za-z0-9_-]{42}[AEIMQUYcgkosw048])$/

const macOf = (secret: Secret, userId: string, text: string): Buffer => createHmac('sha256', secret.derive('device-token')).update(`${userId}.${text}`).digest()

/** Writes a token of a device of this account under the current AUTH_SECRET. */
export function formatDeviceToken (secrets: Secrets, userId: string, { deviceId, issuedAt, expiresAt }: DeviceToken): string {
  const text = `asd_1.${secrets.current.id}.${deviceId}.${issuedAt}.${expiresAt}`
  return `${text}.${macOf(secrets.current, userId, text).toString('base64url')}`
}

/** Reads a token of a device of this account; undefined for anything that none of the secrets made for it. */
export function parseDeviceToken (secrets: Secrets, userId: string, token: string): DeviceToken | undefined {
  const [, text, keyId, deviceId, issuedAt, expiresAt, mac] = format.exec(token) ?? []
  if (text === undefined || keyId === undefined || deviceId === undefined || mac === undefined) return undefined
  const key = secrets.find(keyId)
  if (key === undefined || !timingSafeEqual(macOf(key, userId, text), Buffer.from(mac, 'base64url'))) return undefined
  return { deviceId, issuedAt: Number(issuedAt), expiresAt: Number(expiresAt) }
}

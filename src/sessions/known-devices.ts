import { randomBytes } from 'node:crypto'
import type { UserRow } from '../db/users.ts'
import type { DatabaseClock } from '../keys/database-clock.ts'
import type { Secrets } from '../keys/secrets.ts'
import { formatDeviceToken, parseDeviceToken } from './device-token.ts'

export interface KnownDevicesDependencies {
  secrets: Secrets
  clock: Pick<DatabaseClock, 'now'>
  /** Seconds for which a device is known after its last login. */
  ttlSeconds: number
}

/** Devices on which somebody signed in before. Nothing is stored of them: they say so themselves, with a signed token. */
export interface KnownDevices {
  /**
   * The id of the device, if the token is of one of this account, has not expired and is not from before the account was
   * recovered. Any other token is that of no known device, never an error.
   */
  recognise(user: Pick<UserRow, 'id' | 'devicesKnownSince'>, token: string | undefined): string | undefined
  /** The token for this device, or for a new one, of a login at this time: by the database's clock, as `devicesKnownSince` is. */
  issue(userId: string, deviceId: string | undefined, loginAt: Date): string
}

export function createKnownDevices ({ secrets, clock, ttlSeconds }: KnownDevicesDependencies): KnownDevices {
  return {
    recognise ({ id, devicesKnownSince }, token) {
      const device = token === undefined ? undefined : parseDeviceToken(secrets, id, token)
      if (device === undefined || device.expiresAt <= clock.now()) return undefined
      return devicesKnownSince !== null && device.issuedAt < devicesKnownSince.getTime() ? undefined : device.deviceId
    },
    issue (userId, deviceId = randomBytes(16).toString('base64url'), loginAt) {
      const issuedAt = loginAt.getTime()
      return formatDeviceToken(secrets, userId, { deviceId, issuedAt, expiresAt: issuedAt + ttlSeconds * 1000 })
    }
  }
}

import { Type } from '@sinclair/typebox'

/** Locks after failed logins, and devices that are known. */
export const loginOptions = {
  /** Consecutive failed logins that lock an account or an unknown identifier. */
  loginMaxFailures: Type.Integer({ minimum: 1, maximum: 100, default: 5 }),
  /** Seconds of the first lock; each further failure doubles it. */
  loginLockSeconds: Type.Integer({ minimum: 1, default: 60 }),
  /** Days after the last failure in which the count of failures of an account or identifier starts again. */
  loginForgetDays: Type.Integer({ minimum: 1, default: 30 }),
  /** Failed logins of one client address in a window of `loginAddressWindowSeconds`. */
  loginAddressMaxFailures: Type.Integer({ minimum: 1, default: 1000 }),
  loginAddressWindowSeconds: Type.Integer({ minimum: 1, default: 3600 }),
  /** Seconds for which a device is known after its last login. */
  deviceTokenTtlSeconds: Type.Integer({ minimum: 60, default: 15_552_000 })
}

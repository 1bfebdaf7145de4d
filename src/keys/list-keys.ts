import type { Database } from '../db/stores.ts'
import type { Key } from '../schemas/key.ts'
import { describePemKey, describeStoredKey } from './describe-key.ts'
import { isManagedOutside, usablePemKeys, type PemKey } from './pem-keys.ts'

/** Every key that is known, those of files first and in their order, then the stored ones, newest first. */
export type ListKeys = () => Promise<Key[]>

export function createListKeys ({ database, pemKeys }: { database: Database, pemKeys: readonly PemKey[] }): ListKeys {
  return async () => {
    const { keys, now } = await database.signingKeys.list()
    const revoked = keys.filter(({ revokedAt }) => revokedAt !== null).map(({ kid }) => kid)
    const { signer } = usablePemKeys(pemKeys, revoked)
    return [
      ...pemKeys.map(key => describePemKey(key, keys.find(({ kid }) => kid === key.kid), signer)),
      ...keys.filter(({ kid }) => pemKeys.every(key => key.kid !== kid)).map(key => describeStoredKey(key, now, isManagedOutside(pemKeys)))
    ]
  }
}

import type { Database } from '../db/stores.ts'
import type { Algorithm } from './algorithms.ts'
import { keyOutlook, openKeys } from './key-outlook.ts'
import type { Secrets } from './secrets.ts'
import { createSigningKey, resealSigningKey, type SigningKey } from './signing-key.ts'

/** How the service makes keys. */
export interface KeyPolicy {
  secrets: Secrets
  algorithm: Algorithm
  /** The longest life of the tokens that this instance signs; keys are taken for as long after they retire. */
  accessTtlSeconds: number
  /** Seconds between the publication of a key and its first use. */
  activationSeconds: number
}

/** The stored keys that an instance uses, and the ids of those that nobody may use any more. */
export interface StoredKeys { keys: SigningKey[], revoked: string[], now: Date }

export interface ReadPolicy extends KeyPolicy {
  /** Keys are managed outside: none is made here. */
  managed: boolean
  /**
   * Nothing was read before. Only then are keys brought under the configured algorithm and the current secret: instances
   * that are configured apart, as in a rolling change, would never end doing so.
   */
  atStart: boolean
  /** Told of stored keys that no configured secret opens. */
  onLockedKeys: (kids: string[]) => void
}

function lacksKey (keys: readonly SigningKey[], now: Date, { algorithm, atStart }: ReadPolicy): boolean {
  const { signer, last } = keyOutlook(keys, now)
  return signer === undefined || last === undefined || (atStart && last.algorithm !== algorithm)
}

/** Makes the key that is missing: at once where nobody signs, else so that it is published before its first use. */
async function addMissingKey (database: Database, policy: ReadPolicy): Promise<StoredKeys> {
  // Made before the lock is taken: an RSA key takes a good part of a second, and others wait for the lock.
  const made = await createSigningKey(policy.secrets, policy.algorithm)
  return await database.transaction(async ({ signingKeys }) => {
    await signingKeys.lock()
    const found = await signingKeys.listUsable()
    const keys = openKeys(policy.secrets, found)
    if (!lacksKey(keys, found.now, policy)) return { ...found, keys }
    const signsNow = keyOutlook(keys, found.now).signer !== undefined
    const locked = keys.filter(key => key.privateKey === undefined && key.retiresAt === Infinity)
    if (!signsNow && locked.length > 0) policy.onLockedKeys(locked.map(key => key.kid))
    await signingKeys.insert(made, {
      activatesInSeconds: signsNow ? policy.activationSeconds : 0,
      tokenTtlSeconds: policy.accessTtlSeconds,
      // A key that is closed to us may be the one that instances with another secret sign with: would each retire the
      // other's, they would never end making keys.
      retires: keys.filter(key => key.privateKey !== undefined).map(key => key.kid)
    })
    const agreed = await signingKeys.listUsable()
    return { ...agreed, keys: openKeys(policy.secrets, agreed) }
  })
}

/**
 * Reads the stored keys, and makes one where none signs or will sign, or at the start the last one is of another algorithm
 * than configured; not where keys are `managed` outside.
 */
export async function readStoredKeys (database: Database, policy: ReadPolicy): Promise<StoredKeys> {
  const { secrets } = policy
  const found = await database.signingKeys.listUsable()
  // A rolling change of AUTH_SECRET ends when nothing is left under the old one.
  for (const row of policy.atStart ? found.rows : []) {
    const resealed = resealSigningKey(secrets, row)
    if (resealed !== undefined && row.privateKey !== null) await database.signingKeys.reseal(row.kid, row.privateKey, resealed)
  }
  const keys = openKeys(secrets, found)
  if (policy.managed) return { ...found, keys }
  const stored = lacksKey(keys, found.now, policy) ? await addMissingKey(database, policy) : { ...found, keys }
  for (const { kid, privateKey, retiresAt } of stored.keys) {
    const row = found.rows.find(row => row.kid === kid)
    if (privateKey !== undefined && retiresAt > stored.now.getTime() && row !== undefined && row.tokenTtlSeconds < policy.accessTtlSeconds) await database.signingKeys.extend(kid, policy.accessTtlSeconds)
  }
  return stored
}

import type { RecordEvent } from '../audit/audit.ts'
import type { Stores } from '../db/stores.ts'
import type { UsableKeys } from '../db/signing-keys.ts'
import { keyOutlook, openKeys } from './key-outlook.ts'
import { isManagedOutside, type PemKey } from './pem-keys.ts'
import { createSigningKey } from './signing-key.ts'
import type { KeyPolicy } from './stored-keys.ts'

export interface RotateWhenDueDependencies {
  keyPolicy: KeyPolicy
  /** The keys that are managed outside, where there are any. */
  pemKeys: readonly PemKey[]
  /** Days after which a key is followed by a new one; 0 for never. */
  keyRotationDays: number
}

/** Seconds between the publication of a key and its first use: verifiers keep the published keys for half of it. */
const leadSeconds = 600
const dayMs = 86_400_000

/**
 * A job of maintenance: follows the newest key by a new one once it has signed for so many days, and forgets the private
 * parts of keys that have ended. Where keys are managed outside it retires the stored ones instead, once. Instances that do this
 * at the same time make one key. Throws what the database throws.
 */
export type RotateKeysWhenDue = (stores: Pick<Stores, 'signingKeys'>, record: RecordEvent) => Promise<void>

export function createRotateKeysWhenDue ({ keyPolicy, pemKeys, keyRotationDays }: RotateWhenDueDependencies): RotateKeysWhenDue {
  function isDue (found: UsableKeys): boolean {
    const { last } = keyOutlook(openKeys(keyPolicy.secrets, found), found.now)
    return last !== undefined && keyRotationDays > 0 && last.activatesAt + keyRotationDays * dayMs <= found.now.getTime()
  }

  // Once: an instance that has no files yet makes a key whenever it finds none, and the two would never end it.
  let retired = false

  return async ({ signingKeys }, record) => {
    const found = await signingKeys.listUsable()
    if (isManagedOutside(pemKeys)) {
      if (!retired && found.rows.some(({ retiredAt }) => retiredAt === null || retiredAt > found.now)) await signingKeys.retireAll()
      retired = true
    } else if (isDue(found)) {
      const made = await createSigningKey(keyPolicy.secrets, keyPolicy.algorithm)
      await signingKeys.lock()
      if (isDue(await signingKeys.listUsable())) {
        // Whoever asks for more time between publication and use needs it here, too.
        const { kid } = await signingKeys.insert(made, { activatesInSeconds: Math.max(leadSeconds, keyPolicy.activationSeconds), tokenTtlSeconds: keyPolicy.accessTtlSeconds })
        record({ type: 'authz_admin', outcome: 'success', details: { action: 'key_rotated', kid, reason: 'due' } })
      }
    }
    await signingKeys.forgetPrivateParts()
  }
}

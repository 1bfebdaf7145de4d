import type { UsableKeys } from '../db/signing-keys.ts'
import type { Database } from '../db/stores.ts'
import { keyOutlook, openKeys } from './key-outlook.ts'
import type { KeyDependencies } from './rotate-keys.ts'
import { createSigningKey } from './signing-key.ts'

export interface RotateWhenDueDependencies extends Omit<KeyDependencies, 'onKeysChanged'> {
  database: Database
  /** Days after which a key is followed by a new one; 0 for never. */
  rotationDays: number
}

/** Seconds between the publication of a key and its first use: verifiers keep the published keys for half of it. */
const leadSeconds = 600
const dayMs = 86_400_000

const nobody = { requestId: null, ipAddress: null, userAgent: null }

/**
 * For a background job: follows the newest key by a new one once it has signed for so many days, and forgets the private
 * parts of keys that have ended. Where keys are managed outside it retires the stored ones instead. Instances that do this
 * at the same time make one key. Throws what the database throws.
 */
export type RotateKeysWhenDue = () => Promise<void>

export function createRotateKeysWhenDue ({ database, audit, policy, pemKeys, rotationDays }: RotateWhenDueDependencies): RotateKeysWhenDue {
  function isDue (found: UsableKeys): boolean {
    const { last } = keyOutlook(openKeys(policy.secrets, found), found.now)
    return last !== undefined && rotationDays > 0 && last.activatesAt + rotationDays * dayMs <= found.now.getTime()
  }

  async function rotate (): Promise<void> {
    const made = await createSigningKey(policy.secrets, policy.algorithm)
    await audit.transaction(nobody, async ({ signingKeys }, record) => {
      await signingKeys.lock()
      if (!isDue(await signingKeys.listUsable())) return
      // Whoever asks for more time between publication and use needs it here, too.
      const { kid } = await signingKeys.insert(made, { activatesInSeconds: Math.max(leadSeconds, policy.activationSeconds), tokenTtlSeconds: policy.accessTtlSeconds })
      record({ type: 'authz_admin', outcome: 'success', details: { action: 'key_rotated', kid, reason: 'due' } })
    })
  }

  return async () => {
    const found = await database.signingKeys.listUsable()
    if (pemKeys.length === 0) {
      if (isDue(found)) await rotate()
    } else if (found.rows.some(({ retiredAt }) => retiredAt === null || retiredAt > found.now)) {
      await database.signingKeys.retireAll()
    }
    await database.signingKeys.forgetPrivateParts()
  }
}

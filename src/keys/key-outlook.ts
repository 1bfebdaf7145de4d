import type { UsableKeys } from '../db/signing-keys.ts'
import type { Secrets } from './secrets.ts'
import { openSigningKey, type SigningKey } from './signing-key.ts'

/** Who signs: now, and when everything that is planned has come to pass. */
export interface KeyOutlook { signer: SigningKey | undefined, last: SigningKey | undefined }

/** The stored keys that this release and these secrets can use. */
export const openKeys = (secrets: Secrets, { rows }: UsableKeys): SigningKey[] => rows.flatMap(row => openSigningKey(secrets, row) ?? [])

export function keyOutlook (keys: readonly SigningKey[], now: Date): KeyOutlook {
  const able = keys.filter(key => key.privateKey !== undefined && key.retiresAt > now.getTime())
  return { signer: able.findLast(key => key.activatesAt <= now.getTime()), last: able.findLast(key => key.retiresAt === Infinity) }
}

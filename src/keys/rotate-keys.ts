import type { Audit, RequestContext } from '../audit/audit.ts'
import { CodedError } from '../errors.ts'
import type { Key } from '../schemas/key.ts'
import { describeStoredKey } from './describe-key.ts'
import { isManagedOutside, type PemKey } from './pem-keys.ts'
import { createSigningKey } from './signing-key.ts'
import type { KeyPolicy } from './stored-keys.ts'

/** Who asks for a change of keys; the command line is nobody. */
export interface KeyActor { userId: string, sessionId: string }

export interface KeyDependencies {
  audit: Audit
  policy: KeyPolicy
  /** The keys that are managed outside, where there are any. */
  pemKeys: readonly PemKey[]
  /** Makes this instance know what has just changed; the others are told by the database. */
  onKeysChanged: () => Promise<void>
}

/**
 * Makes a key that is published at once and signs after `activationSeconds`; the one before it verifies until its last
 * token has expired. Throws CodedError CONFLICT where keys are managed outside.
 */
export type RotateKeys = (actor: KeyActor | undefined, context: RequestContext) => Promise<Key>

/** What the trail says of who did it. */
export const aboutActor = (actor: KeyActor | undefined) => actor === undefined ? {} : { actorId: actor.userId, sessionId: actor.sessionId }

export function createRotateKeys ({ audit, policy, pemKeys, onKeysChanged }: KeyDependencies): RotateKeys {
  return async (actor, context) => {
    if (isManagedOutside(pemKeys)) throw new CodedError('CONFLICT', 'The signing keys come from files; change the files, or their order, and start the service again.')
    // Made before the lock is taken: an RSA key takes a good part of a second.
    const made = await createSigningKey(policy.secrets, policy.algorithm)
    const key = await audit.transaction(context, async ({ signingKeys }, record) => {
      await signingKeys.lock()
      const row = await signingKeys.insert(made, { activatesInSeconds: policy.activationSeconds, tokenTtlSeconds: policy.accessTtlSeconds })
      record({ type: 'authz_admin', outcome: 'success', ...aboutActor(actor), details: { action: 'key_rotated', kid: row.kid } })
      return describeStoredKey(row, row.createdAt)
    })
    await onKeysChanged()
    return key
  }
}

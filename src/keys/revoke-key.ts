import type { RequestContext } from '../audit/audit.ts'
import type { SigningKeyStore } from '../db/signing-keys.ts'
import { CodedError } from '../errors.ts'
import { keyOutlook, openKeys } from './key-outlook.ts'
import { isManagedOutside } from './pem-keys.ts'
import { aboutActor, type KeyActor, type KeyDependencies } from './rotate-keys.ts'
import { createSigningKey } from './signing-key.ts'
import type { KeyPolicy } from './stored-keys.ts'

/**
 * Drops a key, because others may have it: every token that it signed is refused from now on. Where it was the one that
 * signs a new one does so at once; of keys that are managed outside, the next private one. Once more changes nothing.
 * Throws CodedError NOT_FOUND for an unknown key.
 */
export type RevokeKey = (kid: string, actor: KeyActor | undefined, context: RequestContext) => Promise<void>

/** Somebody must sign now, and when everything that is planned has come to pass. */
async function replaceWhereNeeded (signingKeys: SigningKeyStore, { secrets, algorithm, activationSeconds, accessTtlSeconds }: KeyPolicy): Promise<void> {
  const found = await signingKeys.listUsable()
  const { signer, last } = keyOutlook(openKeys(secrets, found), found.now)
  if (signer !== undefined && last !== undefined) return
  const made = await createSigningKey(secrets, algorithm)
  const { activatesAt } = await signingKeys.insert(made, { activatesInSeconds: signer === undefined ? 0 : activationSeconds, tokenTtlSeconds: accessTtlSeconds })
  // It was to hand over to the key that has just been revoked, perhaps before the new one may sign.
  if (signer !== undefined) await signingKeys.retireNoSooner(signer.kid, activatesAt)
}

export function createRevokeKey ({ audit, policy, pemKeys, onKeysChanged }: KeyDependencies): RevokeKey {
  return async (kid, actor, context) => {
    const outside = pemKeys.find(key => key.kid === kid)
    await audit.transaction(context, async ({ signingKeys }, record) => {
      await signingKeys.lock()
      const row = await signingKeys.find(kid)
      if (row === undefined && outside === undefined) throw new CodedError('NOT_FOUND', 'There is no key with this id.')
      if (row !== undefined && row.revokedAt !== null) return
      if (outside === undefined) await signingKeys.revoke(kid)
      else await signingKeys.insertRevoked({ kid, algorithm: outside.algorithm, publicKey: outside.publicKey })
      if (!isManagedOutside(pemKeys)) await replaceWhereNeeded(signingKeys, policy)
      record({ type: 'authz_admin', outcome: 'success', ...aboutActor(actor), details: { action: 'key_revoked', kid } })
    })
    await onKeysChanged()
  }
}

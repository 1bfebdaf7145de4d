import type { Database, Stores } from '../db/stores.ts'
import type { UsableKeys } from '../db/signing-keys.ts'
import type { Algorithm } from './algorithms.ts'
import type { Secrets } from './secrets.ts'
import { createSigningKey, openSigningKey, resealSigningKey, type SigningKey } from './signing-key.ts'

/** How the service makes keys. */
export interface KeyPolicy {
  secrets: Secrets
  algorithm: Algorithm
  /** The longest life of the tokens that this instance signs; keys are taken for as long after they retire. */
  accessTtlSeconds: number
  /** Seconds between the publication of a key and its first use. */
  activationSeconds: number
  /** Told of stored keys that no configured secret opens. */
  onLockedKeys: (kids: string[]) => void
}

/** The stored keys that an instance uses, and the ids of those that nobody may use any more. */
export interface StoredKeys { keys: SigningKey[], revoked: string[], now: Date }

const open = (secrets: Secrets, { rows }: UsableKeys): SigningKey[] => rows.flatMap(row => openSigningKey(secrets, row) ?? [])

/** Whether somebody signs now, and who will when everything that is planned has come to pass. */
function outlook (keys: readonly SigningKey[], now: number): { signsNow: boolean, last: SigningKey | undefined } {
  const able = keys.filter(key => key.privateKey !== undefined && key.retiresAt > now)
  return { signsNow: able.some(key => key.activatesAt <= now), last: able.findLast(key => key.retiresAt === Infinity) }
}

/** How keys are read. */
export interface ReadPolicy extends KeyPolicy {
  /** They are managed outside. */
  managed: boolean
  /**
   * The instance has just started: what is under an older secret, or of another algorithm than configured, is replaced
   * now and then no more, as instances that are configured apart would never end it.
   */
  starting: boolean
}

function lacksKey (keys: readonly SigningKey[], now: Date, { algorithm, starting }: ReadPolicy): boolean {
  const { signsNow, last } = outlook(keys, now.getTime())
  return !signsNow || (starting && last?.algorithm !== algorithm)
}

/** Makes the key that is missing: at once where nobody signs, else so that it is published before its first use. */
async function addMissingKey (stores: Pick<Stores, 'signingKeys'>, policy: ReadPolicy): Promise<StoredKeys> {
  await stores.signingKeys.lock()
  const found = await stores.signingKeys.listUsable()
  const keys = open(policy.secrets, found)
  const { signsNow } = outlook(keys, found.now.getTime())
  if (!lacksKey(keys, found.now, policy)) return { ...found, keys }
  const locked = keys.filter(key => key.privateKey === undefined && key.retiresAt === Infinity)
  if (!signsNow && locked.length > 0) policy.onLockedKeys(locked.map(key => key.kid))
  await stores.signingKeys.insert(await createSigningKey(policy.secrets, policy.algorithm), {
    activatesInSeconds: signsNow ? policy.activationSeconds : 0,
    tokenTtlSeconds: policy.accessTtlSeconds,
    // A key that this instance cannot open may be in use by others, under a secret that only they have: two that retired
    // each other's keys would never end.
    succeeds: signsNow || locked.length === 0
  })
  const agreed = await stores.signingKeys.listUsable()
  return { ...agreed, keys: open(policy.secrets, agreed) }
}

/**
 * Reads the stored keys. Seals anew what is under an older secret, and makes a key where none signs or the last one is of
 * another algorithm than configured; not where keys are `managed` outside.
 */
export async function readStoredKeys (database: Database, policy: ReadPolicy): Promise<StoredKeys> {
  const { secrets } = policy
  const found = await database.signingKeys.listUsable()
  // A rolling change of AUTH_SECRET ends when nothing is left under the old one.
  for (const row of policy.starting ? found.rows : []) {
    const resealed = resealSigningKey(secrets, row)
    if (resealed !== undefined && row.privateKey !== null) await database.signingKeys.reseal(row.kid, row.privateKey, resealed)
  }
  const keys = open(secrets, found)
  if (policy.managed) return { ...found, keys }
  const stored = !lacksKey(keys, found.now, policy)
    ? { ...found, keys }
    : await database.transaction(async stores => await addMissingKey(stores, policy))
  for (const { kid, privateKey, retiresAt } of stored.keys) {
    const row = found.rows.find(row => row.kid === kid)
    if (privateKey !== undefined && retiresAt === Infinity && row !== undefined && row.tokenTtlSeconds < policy.accessTtlSeconds) await database.signingKeys.extend(kid, policy.accessTtlSeconds)
  }
  return stored
}

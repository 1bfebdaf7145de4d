import type { ListedSigningKey, SigningKeyRow } from '../db/signing-keys.ts'
import type { Key } from '../schemas/key.ts'
import type { PemKey } from './pem-keys.ts'

const iso = (moment: Date | null): string | null => moment?.toISOString() ?? null

function stateOf ({ revokedAt, endsAt, activatesAt, retiredAt }: ListedSigningKey, now: Date, managed: boolean): Key['state'] {
  if (revokedAt !== null) return 'revoked'
  if (endsAt !== null && endsAt <= now) return 'retired'
  // Its time is over, or will be before it has begun: a later key took its place. Beside keys of files none signs.
  if (managed || (retiredAt !== null && (retiredAt <= now || retiredAt <= activatesAt))) return 'retiring'
  return activatesAt > now ? 'pending' : 'active'
}

/** A stored key; `managed` where keys of files sign instead. */
export function describeStoredKey (key: ListedSigningKey, now: Date, managed = false): Key {
  const { kid, algorithm } = key
  return {
    kid,
    algorithm,
    state: stateOf(key, now, managed),
    source: 'database',
    createdAt: iso(key.createdAt),
    activatesAt: iso(key.activatesAt),
    retiresAt: iso(key.retiredAt),
    expiresAt: iso(key.endsAt),
    revokedAt: iso(key.revokedAt)
  }
}

/** A key of a file, with the row that says that it is revoked, and the key that signs. A private one beside it may sign one day. */
export function describePemKey (key: PemKey, row: SigningKeyRow | undefined, signer: PemKey | undefined): Key {
  const { kid, algorithm } = key
  const revokedAt = row?.revokedAt ?? null
  const standby = key.privateKey === undefined ? 'retiring' : 'pending'
  return {
    kid,
    algorithm,
    state: revokedAt !== null ? 'revoked' : key === signer ? 'active' : standby,
    source: 'file',
    createdAt: null,
    activatesAt: null,
    retiresAt: null,
    expiresAt: null,
    revokedAt: iso(revokedAt)
  }
}

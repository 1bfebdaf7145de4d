import type { Static, TObject } from '@sinclair/typebox'
import type { Listen } from '../db/listener.ts'
import type { Database } from '../db/stores.ts'
import { createDatabaseClock, type DatabaseClock } from '../keys/database-clock.ts'
import { createKeyRing, type KeyRing } from '../keys/key-ring.ts'
import { readPemKeys, type PemKey } from '../keys/pem-keys.ts'
import { createSecrets, type Secrets } from '../keys/secrets.ts'
import type { KeyPolicy } from '../keys/stored-keys.ts'
import { createPublishRevocations, type PublishRevocations } from '../revocation/publish-revocations.ts'
import { startRevocationFeed, type RevocationFeed } from '../revocation/revocation-feed.ts'
import { createRecogniseToken, type RecogniseToken } from '../sessions/authenticate.ts'
import type { tokenOptions } from './options.ts'

export type TokenSettings = Static<TObject<typeof tokenOptions>>

export interface TokenDependencies {
  database: Database
  listen: Listen
  log: Record<'debug' | 'info' | 'warn' | 'error', (details: object, message: string) => void>
}

/** Access tokens: what signs them, what verifies them, and which of them were revoked. */
export interface Tokens {
  keyRing: KeyRing
  secrets: Secrets
  /** The keys that are managed outside, where there are any. */
  pemKeys: readonly PemKey[]
  /** How other keys are made. */
  keyPolicy: KeyPolicy
  /** Days after which a key is followed by a new one; 0 for never. */
  keyRotationDays: number
  /** Which tokens were revoked. */
  feed: RevocationFeed
  /** What the revocations route answers. */
  publishedRevocations: PublishRevocations
  clock: DatabaseClock
  recognise: RecogniseToken
}

/** Reads the keys that are managed outside. Throws TypeError for each one that is none. */
function pemKeysOf (texts: readonly string[]): PemKey[] {
  const { keys, problems } = readPemKeys(texts)
  const wrong = problems.map(({ index, message }) => `/keys/${index}: ${message}`)
  if (wrong.length > 0) throw new TypeError(`auth-serve auth: invalid options: ${wrong.join('; ')}`)
  return keys
}

/**
 * Makes all of it and begins to follow the revocations; `feed.close()` ends that.
 *
 * @throws TypeError for keys in PEM that cannot be used.
 */
export function startTokens (settings: TokenSettings, { database, listen, log }: TokenDependencies): Tokens {
  const { algorithm, accessTtlSeconds, keyActivationSeconds: activationSeconds, keyRotationDays } = settings
  const secrets = createSecrets(settings.secrets)
  const pemKeys = pemKeysOf(settings.keys)
  const clock = createDatabaseClock()
  const keyPolicy: KeyPolicy = { secrets, algorithm, accessTtlSeconds, activationSeconds }
  const maxStalenessSeconds = settings.revocation.maxStalenessSeconds ?? accessTtlSeconds
  const keyRing = createKeyRing({
    ...settings,
    ...keyPolicy,
    database,
    clock,
    pemKeys,
    maxStalenessSeconds,
    reloadIntervalMs: settings.keyReloadIntervalMs,
    onReloadFailed: error => log.warn({ err: error }, 'the signing keys could not be read again; going on with those known'),
    onLockedKeys: kids => log.error({ kids }, 'no configured secret opens the stored signing keys; a new key was made'),
    onNoSigner: () => log.error({}, 'every key of the configured files that could sign is revoked; nobody can sign in until there is another one')
  })
  const feed = startRevocationFeed({
    ...settings.revocation,
    maxStalenessSeconds,
    clock,
    store: database.revocations,
    listen,
    onKeysChanged: () => { keyRing.reload() },
    log
  })
  return {
    keyRing,
    secrets,
    pemKeys,
    keyPolicy,
    keyRotationDays,
    feed,
    publishedRevocations: createPublishRevocations(settings.issuer, feed),
    clock,
    recognise: createRecogniseToken({ database, keyRing, feed })
  }
}

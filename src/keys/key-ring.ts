import type { Database } from '../db/stores.ts'
import { CodedError } from '../errors.ts'
import {
  createAccessTokenSigner, createAccessTokenVerifier,
  type AccessTokenClaims, type AccessTokenOptions, type AccessTokenSubject, type AccessTokenVerifier, type TokenCacheCounts
} from './access-tokens.ts'
import type { DatabaseClock } from './database-clock.ts'
import { publishKeys, type PublishedKeys } from './jwks.ts'
import { isManagedOutside, usablePemKeys, type PemKey } from './pem-keys.ts'
import { createSharedReading, createThrottle } from './shared-reading.ts'
import { readStoredKeys, type KeyPolicy } from './stored-keys.ts'
import type { SigningKey } from './signing-key.ts'

export interface KeyRingOptions extends AccessTokenOptions, KeyPolicy {
  database: Database
  /** Keys that are managed outside; the first one that has a private part signs, and the service makes none. */
  pemKeys: readonly PemKey[]
  clock: DatabaseClock
  /** A token of an unknown key makes the ring read the keys again, at most once in this many milliseconds. */
  reloadIntervalMs: number
  /** Seconds for which keys that cannot be read again are still used. */
  maxStalenessSeconds: number
  /** Verified tokens that are remembered. */
  tokenCacheSize: number
  /** Told of stored keys that no configured secret opens. */
  onLockedKeys: (kids: string[]) => void
  /** Told that every key that is managed outside and could sign is revoked. */
  onNoSigner: () => void
  /** Told of keys that could not be read again; the ring goes on with those that it has. */
  onReloadFailed: (error: unknown) => void
}

/** The keys of the service in use: signs with the one whose time it is, verifies with all that are usable. */
export interface KeyRing {
  /** Reads the keys unless they were read before, making the first one where there is none. Throws what the database throws. */
  load(): Promise<void>
  /** Reads what was committed until now; keeps the keys it has where that fails, and tries again when they are next used. */
  reload(): Promise<void>
  /** Throws CodedError SERVICE_UNAVAILABLE while there is no key to sign with. */
  sign(subject: AccessTokenSubject): Promise<string>
  /** Throws CodedError TOKEN_INVALID or TOKEN_EXPIRED, and SERVICE_UNAVAILABLE while the keys cannot be read. */
  verify(token: string): Promise<AccessTokenClaims>
  /** The public part (PEM) of a usable key. Throws CodedError TOKEN_INVALID for an unknown one. */
  publicKey(kid: string): Promise<string>
  /** The id of the key that signs now. */
  signingKid(): Promise<string>
  /** How well remembering verified tokens goes, for metrics. */
  readonly tokenCache: Readonly<TokenCacheCounts>
  /** What the JWKS route answers. */
  published(): Promise<PublishedKeys>
}

const unknownKey = () => new CodedError('TOKEN_INVALID', 'The access token is not acceptable; sign in again.')
const noSigner = () => new CodedError('SERVICE_UNAVAILABLE', 'No signing key is available; try again.', { retryAfterSeconds: 1 })
const unreadable = () => new CodedError('SERVICE_UNAVAILABLE', 'The keys cannot be read at this moment; try again.', { retryAfterSeconds: 1 })

interface Signer { kid: string, activatesAt: number, retiresAt: number, sign: (subject: AccessTokenSubject) => string }
interface LoadedKeys { fingerprint: string, keys: SigningKey[], published: PublishedKeys, signers: Signer[], verify: AccessTokenVerifier }

/** The keys that can sign, in the order in which their time comes. */
function signersOf (keys: readonly SigningKey[], options: AccessTokenOptions): Signer[] {
  return keys.flatMap(key => key.privateKey === undefined
    ? []
    : [{ kid: key.kid, activatesAt: key.activatesAt, retiresAt: key.retiresAt, sign: createAccessTokenSigner({ ...key, privateKey: key.privateKey }, options) }])
}

/** Keys that are managed outside sign from ever on, or only verify. */
function fromPem (keys: readonly PemKey[], revoked: readonly string[]): SigningKey[] {
  const { usable, signer } = usablePemKeys(keys, revoked)
  return usable.map(key => ({ ...key, privateKey: key === signer ? key.privateKey : undefined, activatesAt: 0, retiresAt: Infinity }))
}

export function createKeyRing (options: KeyRingOptions): KeyRing {
  const { clock, reloadIntervalMs } = options
  const managed = isManagedOutside(options.pemKeys)
  const tokenCache: TokenCacheCounts = { hits: 0, misses: 0, size: 0 }
  let loaded: LoadedKeys | undefined
  let lastRead = -Infinity

  async function read (): Promise<LoadedKeys> {
    lastRead = performance.now()
    const stored = await readStoredKeys(options.database, { ...options, managed, atStart: loaded === undefined })
    clock.sync(stored.now)
    const pem = fromPem(options.pemKeys, stored.revoked)
    const keys = [...stored.keys.filter(({ kid }) => pem.every(key => key.kid !== kid)), ...pem]
    const fingerprint = JSON.stringify(keys)
    // The verifier remembers tokens, so the same keys keep the same verifier.
    if (loaded?.fingerprint === fingerprint) return loaded
    loaded = {
      fingerprint,
      keys,
      published: publishKeys(keys),
      signers: signersOf(managed ? pem : keys, options),
      verify: createAccessTokenVerifier(keys, { ...options, now: clock.now, cacheSize: options.tokenCacheSize, tokenCache })
    }
    if (managed && loaded.signers.length === 0) options.onNoSigner()
    return loaded
  }

  const reading = createSharedReading(read)
  const mayRetry = createThrottle(reloadIntervalMs)
  const mayAskForUnknown = createThrottle(reloadIntervalMs)
  const mayAskForSigner = createThrottle(reloadIntervalMs)

  const settled = (): LoadedKeys | undefined => reading.failingForMs() === undefined ? loaded : undefined

  /** The keys where none were read, or the last reading failed: those so far for as long as that may be, while it is tried again. */
  async function obtain (): Promise<LoadedKeys> {
    if (loaded === undefined) return await reading.join()
    const retry = mayRetry() ? reading.again() : reading.underWay()
    if ((reading.failingForMs() ?? 0) <= options.maxStalenessSeconds * 1000) {
      retry?.catch(() => {})
      return loaded
    }
    if (retry === undefined) throw unreadable()
    return await retry
  }

  async function signer (): Promise<Signer> {
    const due = ({ signers }: LoadedKeys): Signer | undefined =>
      signers.findLast(({ activatesAt, retiresAt }) => activatesAt <= clock.now() && retiresAt > clock.now())
    const found = due(settled() ?? await obtain()) ?? (mayAskForSigner() ? due(await reading.again()) : undefined)
    if (found === undefined) throw noSigner()
    return found
  }

  /** Verifies by keys that may have come since the last reading; it reads at most once in an interval. */
  async function verifyByNewKeys (token: string): Promise<AccessTokenClaims> {
    const keys = await (mayAskForUnknown() ? reading.again() : reading.underWay())
    const claims = keys?.verify(token)
    if (claims !== undefined) return claims
    // Nobody knows whether the key is one of ours.
    if (reading.failingForMs() !== undefined) throw unreadable()
    throw unknownKey()
  }

  return {
    tokenCache,
    load: async () => { if (loaded === undefined) await reading.join() },
    async reload () {
      try {
        await reading.again()
      } catch (error) {
        options.onReloadFailed(error)
      }
    },
    sign: async subject => (await signer()).sign(subject),
    signingKid: async () => (await signer()).kid,
    verify: async token => (settled() ?? await obtain()).verify(token) ?? await verifyByNewKeys(token),
    async published () {
      if (loaded === undefined) return (await reading.join()).published
      // Another instance may have made a key. Where that cannot be known, the keys so far are still keys.
      if (performance.now() - lastRead >= reloadIntervalMs) await reading.again().catch(() => {})
      return loaded.published
    },
    async publicKey (kid) {
      const key = (settled() ?? await obtain()).keys.find(key => key.kid === kid)
      if (key === undefined) throw unknownKey()
      return key.publicKey
    }
  }
}

import type { Database } from '../db/stores.ts'
import { CodedError } from '../errors.ts'
import {
  createAccessTokenSigner, createAccessTokenVerifier,
  type AccessTokenClaims, type AccessTokenOptions, type AccessTokenSubject, type AccessTokenVerifier, type TokenCacheCounts
} from './access-tokens.ts'
import type { PemKey } from './algorithms.ts'
import type { DatabaseClock } from './database-clock.ts'
import { publishKeys, type PublishedKeys } from './jwks.ts'
import { readStoredKeys, type KeyPolicy } from './stored-keys.ts'
import type { SigningKey } from './signing-key.ts'

export interface KeyRingOptions extends AccessTokenOptions, KeyPolicy {
  database: Database
  /** Keys that are managed outside; the first one that has a private part signs, and the service makes none. */
  pemKeys: readonly PemKey[]
  clock: DatabaseClock
  /** A token of an unknown key makes the ring read the keys again, at most once in this many milliseconds. */
  reloadIntervalMs: number
  /** Verified tokens that are remembered. */
  tokenCacheSize: number
  /** Told of keys that could not be read again; the ring goes on with those that it has. */
  onReloadFailed: (error: unknown) => void
}

/** The keys of the service in use: signs with the one whose time it is, verifies with all that are usable. */
export interface KeyRing {
  /** Reads the keys unless they were read before, making the first one where there is none. Throws what the database throws. */
  load(): Promise<void>
  /** Reads them again; keeps those it has where that fails. */
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

interface Signer { kid: string, activatesAt: number, retiresAt: number, sign: (subject: AccessTokenSubject) => string }
interface LoadedKeys { fingerprint: string, keys: SigningKey[], published: PublishedKeys, signers: Signer[], verify: AccessTokenVerifier }

/** The keys that can sign, in the order in which their time comes. */
function signersOf (keys: readonly SigningKey[], options: AccessTokenOptions): Signer[] {
  return keys.flatMap(key => key.privateKey === undefined
    ? []
    : [{ kid: key.kid, activatesAt: key.activatesAt, retiresAt: key.retiresAt, sign: createAccessTokenSigner({ ...key, privateKey: key.privateKey }, options) }])
}

/** Keys of files: the first one with a private part signs from ever on, the others only verify. */
function fromPem (keys: readonly PemKey[], revoked: readonly string[]): SigningKey[] {
  const usable = keys.filter(({ kid }) => !revoked.includes(kid))
  const signer = usable.find(({ privateKey }) => privateKey !== undefined)
  return usable.map(key => ({ ...key, privateKey: key === signer ? key.privateKey : undefined, activatesAt: 0, retiresAt: Infinity }))
}

export function createKeyRing (options: KeyRingOptions): KeyRing {
  const { clock } = options
  const tokenCache: TokenCacheCounts = { hits: 0, misses: 0, size: 0 }
  let loaded: LoadedKeys | undefined
  let loading: Promise<LoadedKeys> | undefined
  let lastLoad = -Infinity

  async function read (): Promise<LoadedKeys> {
    const managed = options.pemKeys.length > 0
    // An algorithm is changed at the start and then no more: instances that are configured apart would never end it.
    const stored = await readStoredKeys(options.database, { ...options, managed, mayChangeAlgorithm: loaded === undefined })
    clock.sync(stored.now)
    const pem = fromPem(options.pemKeys, stored.revoked)
    const keys = [...stored.keys.filter(({ kid }) => pem.every(key => key.kid !== kid)), ...pem]
    lastLoad = performance.now()
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
    return loaded
  }

  async function load (): Promise<LoadedKeys> {
    loading ??= read().finally(() => { loading = undefined })
    return await loading
  }

  /** Reads again because something may be new, at most once in an interval. */
  async function loadOnceIn (intervalMs: number): Promise<LoadedKeys | undefined> {
    if (performance.now() - lastLoad < intervalMs) return undefined
    lastLoad = performance.now()
    return await load()
  }

  async function signer (): Promise<Signer> {
    const isDue = ({ activatesAt, retiresAt }: Signer): boolean => activatesAt <= clock.now() && retiresAt > clock.now()
    const found = (loaded ?? await load()).signers.findLast(isDue) ?? (await loadOnceIn(options.reloadIntervalMs))?.signers.findLast(isDue)
    if (found === undefined) throw noSigner()
    return found
  }

  return {
    tokenCache,
    load: async () => { if (loaded === undefined) await load() },
    async reload () {
      try {
        await load()
      } catch (error) {
        options.onReloadFailed(error)
      }
    },
    sign: async subject => (await signer()).sign(subject),
    signingKid: async () => (await signer()).kid,
    async verify (token) {
      const claims = (loaded ?? await load()).verify(token) ?? (await loadOnceIn(options.reloadIntervalMs))?.verify(token)
      if (claims === undefined) throw unknownKey()
      return claims
    },
    async published () {
      if (loaded === undefined) return (await load()).published
      // Another instance may have made a key. Where that cannot be known, the keys so far are still keys.
      return (await loadOnceIn(options.reloadIntervalMs).catch(() => undefined) ?? loaded).published
    },
    async publicKey (kid) {
      const key = (loaded ?? await load()).keys.find(key => key.kid === kid)
      if (key === undefined) throw unknownKey()
      return key.publicKey
    }
  }
}

import type { Database } from '../db/stores.ts'
import { CodedError } from '../errors.ts'
import {
  createAccessTokenSigner, createAccessTokenVerifier,
  type AccessTokenClaims, type AccessTokenOptions, type AccessTokenSubject, type AccessTokenVerifier
} from './access-tokens.ts'
import { publishKeys, type PublishedKeys } from './jwks.ts'
import type { Secrets } from './secrets.ts'
import { createSigningKey, openSigningKey, resealSigningKey, type SigningKey } from './signing-key.ts'

export interface KeyRingOptions extends AccessTokenOptions {
  database: Database
  secrets: Secrets
  /** A token of an unknown key makes the ring read the keys again, at most once in this many milliseconds. */
  reloadIntervalMs: number
  /** Told of stored keys that no configured secret opens. */
  onLockedKeys: (kids: string[]) => void
}

/** The keys of the service in use: signs with the newest it can open, verifies with all that are usable. */
export interface KeyRing {
  /** Reads the keys unless they were read before, making the first one where there is none. Throws what the database throws. */
  load(): Promise<void>
  sign(subject: AccessTokenSubject): Promise<string>
  /** Throws CodedError TOKEN_INVALID or TOKEN_EXPIRED, and SERVICE_UNAVAILABLE while the keys cannot be read. */
  verify(token: string): Promise<AccessTokenClaims>
  /** The public part (PEM) of a usable key. Throws CodedError TOKEN_INVALID for an unknown one. */
  publicKey(kid: string): Promise<string>
  /** What the JWKS route answers. */
  published(): Promise<PublishedKeys>
}

type SigningKeyWithPrivatePart = SigningKey & { privateKey: string }
const canSign = (key: SigningKey): key is SigningKeyWithPrivatePart => key.privateKey !== undefined

const unknownKey = () => new CodedError('TOKEN_INVALID', 'The access token is not acceptable; sign in again.')

interface LoadedKeys { keys: SigningKey[], published: PublishedKeys, sign: (subject: AccessTokenSubject) => string, verify: AccessTokenVerifier }

export function createKeyRing (options: KeyRingOptions): KeyRing {
  const { database, secrets } = options
  let loaded: LoadedKeys | undefined
  let loading: Promise<LoadedKeys> | undefined
  let lastLoad = -Infinity

  async function readKeys (): Promise<SigningKey[]> {
    const open = async (stores: Pick<Database, 'signingKeys'>) => (await stores.signingKeys.listUsable()).map(row => openSigningKey(secrets, row))
    const rows = await database.signingKeys.listUsable()
    // A rolling change of AUTH_SECRET ends when nothing is left under the old one.
    for (const row of rows) {
      const resealed = resealSigningKey(secrets, row)
      if (resealed !== undefined) await database.signingKeys.reseal(row.kid, row.privateKey, resealed)
    }
    const keys = rows.map(row => openSigningKey(secrets, row))
    if (keys.some(canSign)) return keys
    return await database.transaction(async stores => {
      await stores.signingKeys.lock()
      const agreed = await open(stores)
      if (agreed.some(canSign)) return agreed
      if (agreed.length > 0) options.onLockedKeys(agreed.map(key => key.kid))
      await stores.signingKeys.insert(createSigningKey(secrets))
      return await open(stores)
    })
  }

  async function read (): Promise<LoadedKeys> {
    const keys = await readKeys()
    const newest = keys.findLast(canSign)
    if (newest === undefined) throw new CodedError('SERVICE_UNAVAILABLE', 'No signing key is available; try again.', { retryAfterSeconds: 1 })
    loaded = { keys, published: publishKeys(keys), sign: createAccessTokenSigner(newest, options), verify: createAccessTokenVerifier(keys, options) }
    lastLoad = Date.now()
    return loaded
  }

  async function load (): Promise<LoadedKeys> {
    loading ??= read().finally(() => { loading = undefined })
    return await loading
  }

  return {
    load: async () => { if (loaded === undefined) await load() },
    sign: async subject => (loaded ?? await load()).sign(subject),
    async verify (token) {
      let claims = (loaded ?? await load()).verify(token)
      if (claims === undefined && Date.now() - lastLoad >= options.reloadIntervalMs) {
        lastLoad = Date.now()
        claims = (await load()).verify(token)
      }
      if (claims === undefined) throw unknownKey()
      return claims
    },
    async published () {
      if (loaded === undefined) return (await load()).published
      if (Date.now() - lastLoad < options.reloadIntervalMs) return loaded.published
      lastLoad = Date.now()
      // Another instance may have made a key. Where that cannot be known, the keys so far are still keys.
      return (await load().catch(() => loaded))?.published ?? loaded.published
    },
    async publicKey (kid) {
      const key = (loaded ?? await load()).keys.find(key => key.kid === kid)
      if (key === undefined) throw unknownKey()
      return key.publicKey
    }
  }
}

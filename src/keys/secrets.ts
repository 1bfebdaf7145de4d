import { createHmac, hkdfSync } from 'node:crypto'

/** What a derived key is for: each purpose gets a key of its own, so that none can stand in for another (NIST SP 800-108). */
export type Purpose = 'signing-key' | 'login-attempt' | 'refresh-token' | 'cursor' | 'device-token' | 'mail' | 'mail-cooldown' | 'audit' | 'webhook'

/** One entry of AUTH_SECRET: a public id that tells entries apart, and keys derived for each purpose. */
export interface Secret {
  readonly id: string
  derive(purpose: Purpose): Buffer
}

const hkdf = (secret: string, info: string, bytes: number): Buffer =>
  Buffer.from(hkdfSync('sha256', secret, 'auth-serve', info, bytes))

/** The secrets of the service, newest first: the first makes new ciphertexts and MACs, all are accepted. */
export interface Secrets {
  readonly current: Secret
  /** All of them, the current one first. */
  readonly all: readonly Secret[]
  find(id: string): Secret | undefined
}

/** Derives (HKDF, RFC 5869) what the service needs from the configured secrets. Throws RangeError for an empty list. */
export function createSecrets (values: readonly string[]): Secrets {
  const secrets = values.map(value => {
    const derived = new Map<Purpose, Buffer>()
    return {
      id: hkdf(value, 'id', 6).toString('base64url'),
      derive (purpose: Purpose): Buffer {
        const key = derived.get(purpose) ?? hkdf(value, purpose, 32)
        derived.set(purpose, key)
        return key
      }
    }
  })
  const [current] = secrets
  if (current === undefined) throw new RangeError('at least one secret is needed')
  return { current, all: secrets, find: id => secrets.find(secret => secret.id === id) }
}

const macUnder = (secret: Secret, purpose: Purpose, value: string): Buffer => createHmac('sha256', secret.derive(purpose)).update(value).digest()

/** HMAC-SHA-256 of `value` under the current secret's key for `purpose`. */
export const mac = (secrets: Secrets, purpose: Purpose, value: string): Buffer => macUnder(secrets.current, purpose, value)

/** The same under each of the secrets, the current one first. */
export const macsOf = (secrets: Secrets, purpose: Purpose, value: string): Buffer[] => secrets.all.map(secret => macUnder(secret, purpose, value))

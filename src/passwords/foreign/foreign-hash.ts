import type { ForeignBounds } from './bounds.ts'

/** A well-formed hash of another system. */
export interface ForeignHash {
  readonly scheme: 'argon2' | 'bcrypt' | 'bcrypt_sha256' | 'pbkdf2' | 'scrypt' | 'fbscrypt' | 'sha-crypt'
  /** What it costs, by the names of its scheme. */
  readonly cost: Readonly<Record<string, number>>
  /** Why it is not computed, in words such as "bcrypt cost 20 is above 15". */
  refusal(bounds: ForeignBounds): string | undefined
  /** Whether the password made it. A rejection means that the work itself failed. */
  verify(password: string): Promise<boolean>
}

/** One scheme: reads the text in which its hashes are stored, strictly. */
export interface ForeignScheme {
  /** What the stored text begins with. */
  readonly prefixes: readonly string[]
  /** How a well-formed text looks, for who sent another one. */
  readonly form: string
  /** Anything but the one spelling that is stored is undefined. */
  parse(text: string): ForeignHash | undefined
  /** Rewrites other spellings of the field as the one that is stored; what it does not know it leaves alone. */
  normalise?(text: string): string
}

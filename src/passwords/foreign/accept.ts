import { parameterBounds, parseHash } from '../phc.ts'
import { argon2 } from './argon2.ts'
import { bcrypt, bcryptSha256 } from './bcrypt.ts'
import { foreignBounds, type ForeignBounds } from './bounds.ts'
import { fbscrypt } from './fbscrypt.ts'
import type { ForeignHash, ForeignScheme } from './foreign-hash.ts'
import { pbkdf2 } from './pbkdf2.ts'
import { scrypt } from './scrypt.ts'
import { shaCrypt } from './sha-crypt.ts'

/** A hash in the text that is stored, or why there is none, in words for whoever imports. No refusal quotes a hash. */
export type Acceptance = { hash: string } | { refused: string }

const schemes: readonly ForeignScheme[] = [argon2, bcrypt, bcryptSha256, pbkdf2, scrypt, fbscrypt, shaCrypt]

/** Longer than the longest hash that any scheme here has. */
const longest = 4096

const schemeOf = (text: string): ForeignScheme | undefined => text.length > longest
  ? undefined
  : schemes.find(({ prefixes }) => prefixes.some(prefix => text.startsWith(prefix)))

/** Reads the stored text of any scheme, strictly; undefined for what is not well-formed. Whatever the text, it does not throw. */
export function parseForeignHash (text: string): ForeignHash | undefined {
  return schemeOf(text)?.parse(text)
}

/**
 * What is computed whatever an import asks for. Argon2 as we make it is computed up to what may be configured, so that our
 * own hashes can always be imported again.
 */
const ceilingOf = (text: string): ForeignBounds => parseHash(text) === undefined
  ? foreignBounds
  : { ...foreignBounds, argon2MemoryKib: parameterBounds.memoryKib.maximum, argon2Work: parameterBounds.memoryKib.maximum * parameterBounds.timeCost.maximum }

/**
 * Why a stored text is not taken; undefined when it is. Bounds given here lower {@link foreignBounds}; those of argon2 may
 * also raise them, see {@link boundsWith}.
 */
export function refusalOfHash (text: string, bounds: Partial<ForeignBounds> = {}): string | undefined {
  const scheme = schemeOf(text)
  if (scheme === undefined) return 'the hash is of no scheme that is known here'
  const parsed = scheme.parse(text)
  if (parsed === undefined) return `the hash is not well-formed; it looks like ${scheme.form}`
  return parsed.refusal(ceilingOf(text)) ?? parsed.refusal({ ...foreignBounds, ...bounds })
}

/** Rewrites the usual spellings of a hash as the one that is stored, or says why it is not taken. */
export function acceptHash (text: string, bounds?: Partial<ForeignBounds>): Acceptance {
  const hash = schemeOf(text)?.normalise?.(text) ?? text
  const refused = refusalOfHash(hash, bounds)
  return refused === undefined ? { hash } : { refused }
}

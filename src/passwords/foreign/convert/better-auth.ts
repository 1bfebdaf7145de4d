import { encodeUnpadded } from '../../phc.ts'
import { acceptHash, type Acceptance } from '../accept.ts'
import type { ForeignBounds } from '../bounds.ts'

const pattern = /^([0-9a-f]{32}):([0-9a-f]{128})$/

/**
 * `salt:key` of Better Auth: scrypt with N = 16384, r = 16, p = 1 of the password in NFKC. The salt is the hex text itself,
 * not the bytes that it spells.
 */
export function fromBetterAuth (text: string, bounds?: Partial<ForeignBounds>): Acceptance {
  const [, salt, key] = pattern.exec(text) ?? []
  if (salt === undefined || key === undefined) return { refused: 'the hash is not of Better Auth: 32 hex digits of salt, a colon, 128 hex digits of key' }
  return acceptHash(`$scrypt-nfkc$ln=14,r=16,p=1$${encodeUnpadded(Buffer.from(salt))}$${encodeUnpadded(Buffer.from(key, 'hex'))}`, bounds)
}

import { encodeUnpadded } from '../../phc.ts'
import { acceptHash, type Acceptance } from '../accept.ts'
import { canonicalBase64 } from '../base64.ts'
import type { ForeignBounds } from '../bounds.ts'

const pbkdf2 = /^pbkdf2_(sha1|sha256)\$([1-9]\d*)\$([^$]+)\$([A-Za-z0-9+/]+=?=?)$/
const scrypt = /^scrypt\$([1-9]\d*)\$([^$]+)\$([1-9]\d*)\$([1-9]\d*)\$([A-Za-z0-9+/]+=?=?)$/

// Django's salts are text.
const saltOf = (text: string): string => encodeUnpadded(Buffer.from(text))

function toStored (text: string): string | undefined {
  const [, digest, iterations, salt = '', key = ''] = pbkdf2.exec(text) ?? []
  if (digest !== undefined) return `$pbkdf2-${digest}$i=${iterations}$${saltOf(salt)}$${canonicalBase64(key)}`
  const [, n, scryptSalt = '', r, p, scryptKey = ''] = scrypt.exec(text) ?? []
  const ln = Math.log2(Number(n))
  if (Number.isInteger(ln)) return `$scrypt$ln=${ln},r=${r},p=${p}$${saltOf(scryptSalt)}$${canonicalBase64(scryptKey)}`
  if (text.startsWith('argon2$')) return text.slice('argon2'.length)
  if (text.startsWith('bcrypt$')) return text.slice('bcrypt$'.length)
  return text.startsWith('bcrypt_sha256$') ? text : undefined
}

/** `auth_user.password` of Django: pbkdf2_sha256, pbkdf2_sha1, argon2, bcrypt_sha256, bcrypt and scrypt. */
export function fromDjango (text: string, bounds?: Partial<ForeignBounds>): Acceptance {
  if (text.startsWith('!')) return { refused: 'Django marked the password as unusable' }
  const stored = toStored(text)
  if (stored === undefined) return { refused: 'the hash is not well-formed, or of another hasher of Django than pbkdf2_sha256, pbkdf2_sha1, argon2, bcrypt_sha256, bcrypt and scrypt' }
  return acceptHash(stored, bounds)
}

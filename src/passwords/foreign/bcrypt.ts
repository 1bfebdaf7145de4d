import { createHash } from 'node:crypto'
import { compare } from 'bcrypt'
import { excess } from './bounds.ts'
import type { ForeignHash, ForeignScheme } from './foreign-hash.ts'

// 22 characters of salt and 31 of hash; the last of each has bits to spare, which are zero.
const pattern = /^\$2[aby]\$(0[4-9]|[12]\d|3[01])\$([./A-Za-z0-9]{21}[.Oeu][./A-Za-z0-9]{30}[.CGKOSWaeimquy26])$/

function read (text: string, scheme: 'bcrypt' | 'bcrypt_sha256', prepare: (password: string) => string): ForeignHash | undefined {
  const [, cost, rest] = pattern.exec(text) ?? []
  if (cost === undefined || rest === undefined) return undefined
  return {
    scheme,
    cost: { cost: Number(cost) },
    refusal: bounds => excess(['bcrypt cost', Number(cost), bounds.bcryptCost]),
    // The letters tell of bugs that implementations had; what they make today is the same, but this library repeats the
    // bug of $2a$ with more than 254 bytes and does not know $2y$.
    verify: async password => await compare(prepare(password), `$2b$${cost}$${rest}`)
  }
}

/** bcrypt. It takes the first 72 bytes of a password and leaves the rest out; that ends with the first login. */
export const bcrypt: ForeignScheme = {
  prefixes: ['$2a$', '$2b$', '$2y$'],
  form: '$2b$<cost>$<22 characters of salt><31 characters of hash>',
  parse: text => read(text, 'bcrypt', password => password)
}

const django = 'bcrypt_sha256$'

/** bcrypt of the SHA-256 in lower-case hex, in Django's spelling. */
export const bcryptSha256: ForeignScheme = {
  prefixes: [django],
  form: 'bcrypt_sha256$$2b$<cost>$<22 characters of salt><31 characters of hash>',
  parse: text => text.startsWith(django)
    ? read(text.slice(django.length), 'bcrypt_sha256', password => createHash('sha256').update(password).digest('hex'))
    : undefined
}

import { scrypt as derive, timingSafeEqual, type BinaryLike, type ScryptOptions } from 'node:crypto'
import { canonicalBase64, decodeBytes } from './base64.ts'
import { excess } from './bounds.ts'
import type { ForeignScheme } from './foreign-hash.ts'

const pattern = /^\$scrypt(-nfkc)?\$ln=([1-9]|[12]\d|30),r=([1-9]\d{0,3}),p=([1-9]\d{0,3})\$([A-Za-z0-9+/]*)\$([A-Za-z0-9+/]+)$/
const padded = /^(\$scrypt(?:-nfkc)?\$ln=\d+,r=\d+,p=\d+)\$([A-Za-z0-9+/]*=?=?)\$([A-Za-z0-9+/]+=?=?)$/

/** scrypt (RFC 7914) in the libuv pool, with the memory that it needs and no more. `ln` is the logarithm of N. */
export async function deriveScrypt (password: BinaryLike, salt: Buffer, length: number, { ln, r, p }: { ln: number, r: number, p: number }): Promise<Buffer> {
  const N = 2 ** ln
  // OpenSSL counts B, V, X and T: 128 r p, 128 r N and 256 r bytes.
  const options: ScryptOptions = { N, r, p, maxmem: 128 * r * (N + p + 3) }
  return await new Promise((resolve, reject) => {
    derive(password, salt, length, options, (error, key) => { if (error === null) resolve(key); else reject(error) })
  })
}

/** N must be below 2^(128 r / 8) (RFC 7914, section 6): nobody can compute others. */
export const isComputable = ({ ln, r }: { ln: number, r: number }): boolean => ln < 16 * r

/** 128 * N * r * p: bytes of memory of one lane, times the lanes, which are computed one after another. */
export const scryptBytes = ({ ln, r, p }: { ln: number, r: number, p: number }): number => 128 * 2 ** ln * r * p

/**
 * scrypt. The salt may be empty and have up to 1024 bytes, the key 12 to 512. `$scrypt-nfkc$` is of our own: the password
 * is taken in NFKC, as Better Auth does.
 */
export const scrypt: ForeignScheme = {
  prefixes: ['$scrypt$', '$scrypt-nfkc$'],
  form: '$scrypt$ln=<logarithm of N>,r=<r>,p=<p>$<salt>$<key>, with base64 without padding',
  parse (text) {
    const [, nfkc, ln, r, p, saltText, keyText] = pattern.exec(text) ?? []
    const salt = decodeBytes(saltText, 0, 1024)
    const key = decodeBytes(keyText, 12, 512)
    if (salt === undefined || key === undefined) return undefined
    const cost = { ln: Number(ln), r: Number(r), p: Number(p) }
    if (!isComputable(cost)) return undefined
    return {
      scheme: 'scrypt',
      cost,
      refusal: bounds => excess(['scrypt memory (128 * N * r * p)', scryptBytes(cost), bounds.scryptBytes]),
      verify: async password => {
        const text = nfkc === undefined ? password : password.normalize('NFKC')
        return timingSafeEqual(await deriveScrypt(text, salt, key.length, cost), key)
      }
    }
  },
  normalise: text => text.replace(padded, (_, head: string, salt: string, key: string) => `${head}$${canonicalBase64(salt)}$${canonicalBase64(key)}`)
}

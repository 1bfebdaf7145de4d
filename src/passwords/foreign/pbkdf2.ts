import { pbkdf2 as derive, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { canonicalBase64, decodeBytes } from './base64.ts'
import { excess } from './bounds.ts'
import type { ForeignScheme } from './foreign-hash.ts'

const pattern = /^\$pbkdf2-(sha1|sha256|sha512)\$i=([1-9]\d{0,9})\$([A-Za-z0-9+/]*)\$([A-Za-z0-9+/]+)$/
const passlib = /^\$pbkdf2(-sha1|-sha256|-sha512|)\$([1-9]\d{0,9})\$([A-Za-z0-9./]*)\$([A-Za-z0-9./]+)$/
const padded = /^(\$pbkdf2-sha(?:1|256|512)\$i=\d+)(?:,l=\d+)?\$([A-Za-z0-9+/]*=?=?)\$([A-Za-z0-9+/]+=?=?)$/
const blockBytes: Readonly<Record<string, number>> = { sha1: 20, sha256: 32, sha512: 64 }
const deriveKey = promisify(derive)

/**
 * PBKDF2 (RFC 8018). The salt may be empty and have up to 1024 bytes, the key 12 to 512. Each block of the key costs all
 * iterations anew. Passlib's spelling (`$pbkdf2-sha256$29000$...`, `$pbkdf2$...` for SHA-1) is rewritten.
 */
export const pbkdf2: ForeignScheme = {
  prefixes: ['$pbkdf2-sha1$', '$pbkdf2-sha256$', '$pbkdf2-sha512$', '$pbkdf2$'],
  form: '$pbkdf2-sha256$i=<iterations>$<salt>$<key>, or sha1 or sha512, with base64 without padding',
  parse (text) {
    const [, digest = '', count, saltText, keyText] = pattern.exec(text) ?? []
    const salt = decodeBytes(saltText, 0, 1024)
    const key = decodeBytes(keyText, 12, 512)
    const block = blockBytes[digest]
    if (salt === undefined || key === undefined || block === undefined) return undefined
    const iterations = Number(count)
    const work = iterations * Math.ceil(key.length / block)
    return {
      scheme: 'pbkdf2',
      cost: { iterations, work },
      refusal: bounds => excess(['PBKDF2 iterations times blocks', work, bounds.pbkdf2Work]),
      verify: async password => timingSafeEqual(await deriveKey(password, salt, iterations, key.length, digest), key)
    }
  },
  normalise (text) {
    const [, digest, count, salt, key] = passlib.exec(text) ?? []
    if (salt !== undefined && key !== undefined) return `$pbkdf2${digest || '-sha1'}$i=${count}$${canonicalBase64(salt)}$${canonicalBase64(key)}`
    return text.replace(padded, (_, head: string, salt: string, key: string) => `${head}$${canonicalBase64(salt)}$${canonicalBase64(key)}`)
  }
}

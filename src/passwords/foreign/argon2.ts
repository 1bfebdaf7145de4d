import { verify } from 'argon2'
import { canonicalBase64, decodeBytes } from './base64.ts'
import { excess } from './bounds.ts'
import type { ForeignScheme } from './foreign-hash.ts'

const pattern = /^\$argon2(?:id|i|d)\$v=(?:16|19)\$m=([1-9]\d{0,9}),t=([1-9]\d{0,9}),p=([1-9]\d{0,7})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/
const loose = /^(\$argon2(?:id|i|d))(\$v=\d+)?(\$m=\d+,t=\d+,p=\d+)\$([A-Za-z0-9+/]+=?=?)\$([A-Za-z0-9+/]+=?=?)$/

/**
 * argon2 as others make it: version 16 (1.0) too, salts of 8 to 128 bytes, tags of 12 to 512. No keyed hashes and no
 * associated data. Without a version it is 16 (the form of before 1.3). Computed by the reference engine.
 */
export const argon2: ForeignScheme = {
  prefixes: ['$argon2id$', '$argon2i$', '$argon2d$'],
  form: '$argon2id$v=19$m=<KiB>,t=<passes>,p=<lanes>$<salt>$<tag>, or argon2i or argon2d, with base64 without padding',
  parse (text) {
    const [, m, t, p, salt, tag] = pattern.exec(text) ?? []
    if (decodeBytes(salt, 8, 128) === undefined || decodeBytes(tag, 12, 512) === undefined) return undefined
    const cost = { memoryKib: Number(m), timeCost: Number(t), parallelism: Number(p) }
    // It needs 8 KiB per lane (RFC 9106, 3.1).
    if (cost.memoryKib < 8 * cost.parallelism) return undefined
    return {
      scheme: 'argon2',
      cost,
      refusal: bounds => excess(
        ['argon2 memory in KiB', cost.memoryKib, bounds.argon2MemoryKib],
        ['argon2 memory times passes', cost.memoryKib * cost.timeCost, bounds.argon2Work],
        ['argon2 parallelism', cost.parallelism, bounds.argon2Lanes]
      ),
      verify: async password => await verify(text, password)
    }
  },
  normalise: text => text.replace(loose, (_, algorithm: string, version: string | undefined, cost: string, salt: string, tag: string) =>
    `${algorithm}${version ?? '$v=16'}${cost}$${canonicalBase64(salt)}$${canonicalBase64(tag)}`)
}

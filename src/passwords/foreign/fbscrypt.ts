import { createCipheriv, timingSafeEqual } from 'node:crypto'
import { encodePadded, decodePadded } from './base64.ts'
import { excess } from './bounds.ts'
import type { ForeignScheme } from './foreign-hash.ts'
import { deriveScrypt, isComputable, scryptBytes } from './scrypt.ts'

const pattern = /^\$fbscrypt\$v=1,n=([1-9]|[12]\d|30),r=([1-9]\d{0,3}),p=([1-9]\d{0,3})(?:,ss=([^,$]+))?,sk=([^,$]+)\$([^$]+)\$([^$]+)$/

/** The parts of a hash of Firebase: `memCost` is the logarithm of N, `rounds` is r, and p is 1 in all that it exports. */
export interface FirebaseParts { memCost: number, rounds: number, saltSeparator: Buffer, signerKey: Buffer, salt: Buffer, hash: Buffer }

/** Writes the stored text, which GoTrue reads as well. */
export function formatFbscrypt ({ memCost, rounds, saltSeparator, signerKey, salt, hash }: FirebaseParts): string {
  const separator = saltSeparator.length === 0 ? '' : `,ss=${encodePadded(saltSeparator)}`
  return `$fbscrypt$v=1,n=${memCost},r=${rounds},p=1${separator},sk=${encodePadded(signerKey)}$${encodePadded(salt)}$${encodePadded(hash)}`
}

/**
 * Firebase's scrypt (https://github.com/firebase/scrypt) in the spelling of GoTrue: the derived key encrypts the signer
 * key of the project by AES-256-CTR, and the ciphertext is the hash.
 */
export const fbscrypt: ForeignScheme = {
  prefixes: ['$fbscrypt$'],
  form: '$fbscrypt$v=1,n=<memory cost>,r=<rounds>,p=1,ss=<salt separator>,sk=<signer key>$<salt>$<hash>, with padded base64',
  parse (text) {
    const [, n, r, p, separatorText, keyText, saltText, hashText] = pattern.exec(text) ?? []
    const separator = separatorText === undefined ? Buffer.alloc(0) : decodePadded(separatorText, 1, 64)
    const signerKey = decodePadded(keyText, 16, 256)
    const salt = decodePadded(saltText, 1, 1024)
    const hash = decodePadded(hashText, 16, 256)
    if (separator === undefined || signerKey === undefined || salt === undefined || hash?.length !== signerKey.length) return undefined
    const cost = { ln: Number(n), r: Number(r), p: Number(p) }
    if (!isComputable(cost)) return undefined
    return {
      scheme: 'fbscrypt',
      cost,
      refusal: bounds => excess(['scrypt memory (128 * N * r * p)', scryptBytes(cost), bounds.scryptBytes]),
      verify: async password => {
        const key = await deriveScrypt(password, Buffer.concat([salt, separator]), 32, cost)
        const cipher = createCipheriv('aes-256-ctr', key, Buffer.alloc(16))
        return timingSafeEqual(Buffer.concat([cipher.update(signerKey), cipher.final()]), hash)
      }
    }
  }
}

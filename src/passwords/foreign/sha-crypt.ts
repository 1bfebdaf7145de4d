import { excess } from './bounds.ts'
import type { ForeignScheme } from './foreign-hash.ts'
import { verifyInThread } from './sha-crypt-in-thread.ts'

const pattern = /^\$(?:5\$(?:rounds=([1-9]\d{3,8})\$)?[./0-9A-Za-z]{1,16}\$[./0-9A-Za-z]{42}[./0-9A-D]|6\$(?:rounds=([1-9]\d{3,8})\$)?[./0-9A-Za-z]{1,16}\$[./0-9A-Za-z]{85}[./01])$/

/** SHA-crypt of the shadow file: SHA-256 (`$5$`) and SHA-512 (`$6$`), 5000 rounds unless it says otherwise. */
export const shaCrypt: ForeignScheme = {
  prefixes: ['$5$', '$6$'],
  form: '$5$rounds=<rounds>$<salt>$<43 characters>, or $6$ with 86 characters, with at least 1000 rounds and a salt of at most 16 characters',
  parse (text) {
    const found = pattern.exec(text)
    if (found === null) return undefined
    const rounds = Number(found[1] ?? found[2] ?? 5000)
    return {
      scheme: 'sha-crypt',
      cost: { rounds },
      refusal: bounds => excess(['SHA-crypt rounds', rounds, bounds.shaCryptRounds]),
      verify: async password => await verifyInThread(password, text)
    }
  }
}

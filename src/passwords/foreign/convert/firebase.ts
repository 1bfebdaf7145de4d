import { acceptHash, type Acceptance } from '../accept.ts'
import { canonicalBase64, decodeBytes } from '../base64.ts'
import type { ForeignBounds } from '../bounds.ts'
import { formatFbscrypt } from '../fbscrypt.ts'

/** `passwordHash` and `salt` of an exported account, in base64, web-safe or not. */
export interface FirebaseAccount { hash: string, salt: string }

/** The password hash parameters of the project, from Firebase's console; the key and the separator in base64. */
export interface FirebaseProject { signerKey: string, saltSeparator: string, rounds: number, memCost: number }

const bytes = (text: string): Buffer | undefined => decodeBytes(canonicalBase64(text), 0, 1024)

/** An account of Firebase. The signer key of the project becomes part of the stored text. */
export function fromFirebase (account: FirebaseAccount, project: FirebaseProject, bounds?: Partial<ForeignBounds>): Acceptance {
  const signerKey = bytes(project.signerKey)
  const saltSeparator = bytes(project.saltSeparator)
  const { rounds, memCost } = project
  if (signerKey === undefined) return { refused: 'the signer key is not base64' }
  if (saltSeparator === undefined) return { refused: 'the salt separator is not base64' }
  const hash = bytes(account.hash)
  const salt = bytes(account.salt)
  if (hash === undefined || salt === undefined) return { refused: 'the hash or its salt is not base64' }
  if (hash.length !== signerKey.length) return { refused: `the hash has ${hash.length} bytes and the signer key ${signerKey.length}: they belong to different projects, or the hash is not of Firebase's scrypt` }
  return acceptHash(formatFbscrypt({ memCost, rounds, saltSeparator, signerKey, salt, hash }), bounds)
}

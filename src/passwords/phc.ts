/** What an argon2 hash costs: memory in KiB, passes over it, lanes. */
export interface HashParameters { memoryKib: number, timeCost: number, parallelism: number }

/** What OWASP's Password Storage Cheat Sheet asks of argon2id at least. */
export const owaspParameters: HashParameters = { memoryKib: 19456, timeCost: 2, parallelism: 1 }

/** The least and the most that may be configured. A stored hash that asks for more than the most is not computed. */
export const parameterBounds = {
  memoryKib: { minimum: 1024, maximum: 4194304 },
  timeCost: { minimum: 1, maximum: 100 },
  parallelism: { minimum: 1, maximum: 16 }
}

export interface ParsedHash extends HashParameters { algorithm: 'argon2id' | 'argon2i' | 'argon2d' }

const pattern = /^\$(argon2id|argon2i|argon2d)\$v=19\$m=([1-9]\d{0,9}),t=([1-9]\d{0,9}),p=([1-9]\d{0,7})\$([A-Za-z0-9+/]{11,64})\$([A-Za-z0-9+/]{16,86})$/

/**
 * Reads a PHC string of argon2, version 19 (RFC 9106), strictly: canonical base64, salt of at least 8 bytes, and costs
 * inside `parameterBounds`. Anything else is undefined, so that engines are only given what all of them read alike.
 */
export function parseHash (phc: string): ParsedHash | undefined {
  const [, algorithm, m, t, p, salt = '', tag = ''] = pattern.exec(phc) ?? []
  if (algorithm !== 'argon2id' && algorithm !== 'argon2i' && algorithm !== 'argon2d') return undefined
  const parsed: ParsedHash = { algorithm, memoryKib: Number(m), timeCost: Number(t), parallelism: Number(p) }
  return isComputable(parsed) && isCanonical(salt) && isCanonical(tag) ? parsed : undefined
}

/** Writes a PHC string of argon2id from its parts. */
export function formatHash ({ memoryKib, timeCost, parallelism }: HashParameters, salt: Buffer, tag: Buffer): string {
  return `$argon2id$v=19$m=${memoryKib},t=${timeCost},p=${parallelism}$${encodeUnpadded(salt)}$${encodeUnpadded(tag)}`
}

// Argon2 needs 8 KiB per lane (RFC 9106, 3.1).
const isComputable = ({ memoryKib, timeCost, parallelism }: HashParameters): boolean =>
  memoryKib >= 8 * parallelism && memoryKib <= parameterBounds.memoryKib.maximum &&
  timeCost <= parameterBounds.timeCost.maximum && parallelism <= parameterBounds.parallelism.maximum

/** Base64 as PHC strings have it (RFC 4648, section 4, without padding). */
export const encodeUnpadded = (bytes: Buffer): string => bytes.toString('base64').replaceAll('=', '')
const isCanonical = (text: string): boolean => encodeUnpadded(Buffer.from(text, 'base64')) === text

/** The most that a hash of another system may cost. */
export interface ForeignBounds {
  /** bcrypt: the logarithm (base 2) of its rounds. */
  bcryptCost: number
  /** PBKDF2: iterations, times the blocks that its key needs. */
  pbkdf2Work: number
  /** scrypt, Firebase's too: 128 * N * r * p bytes, which bounds the time as well as the memory. */
  scryptBytes: number
  /** argon2: memory in KiB. */
  argon2MemoryKib: number
  /** argon2: KiB, times the passes over them. */
  argon2Work: number
  /** argon2: lanes. */
  argon2Lanes: number
  /** SHA-crypt: rounds. */
  shaCryptRounds: number
}

/**
 * What is computed at most: one to three seconds of one core each (docs/decisions/017-foreign-hashes.md has the figures).
 * Hashes that ask for more are refused by an import; one that is stored all the same is never computed.
 */
export const foreignBounds: Readonly<ForeignBounds> = {
  bcryptCost: 15,
  pbkdf2Work: 5_000_000,
  scryptBytes: 256 * 1024 * 1024,
  argon2MemoryKib: 256 * 1024,
  argon2Work: 2 * 1024 * 1024,
  argon2Lanes: 16,
  shaCryptRounds: 1_000_000
}

/** Says in words which of the costs `[what, asked, bound]` is too high; undefined when none is. */
export function excess (...costs: Array<[what: string, asked: number, bound: number]>): string | undefined {
  const [found] = costs.filter(([, asked, bound]) => asked > bound)
  return found && `${found[0]} ${found[1]} is above ${found[2]}`
}

import type { HashParameters } from '../phc.ts'

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
 * What is computed at most: one to three seconds of one core (docs/decisions/017-foreign-hashes.md has the figures). The
 * highest defaults in use fit: Keycloak's `pbkdf2` asks for 1 300 000 iterations of four blocks. Hashes that ask for more
 * are refused by an import; one that is stored all the same is never computed.
 */
export const foreignBounds: Readonly<ForeignBounds> = {
  bcryptCost: 15,
  pbkdf2Work: 6_000_000,
  scryptBytes: 256 * 1024 * 1024,
  argon2MemoryKib: 256 * 1024,
  argon2Work: 1024 * 1024,
  argon2Lanes: 16,
  shaCryptRounds: 1_000_000
}

/** Bounds under which hashes of our own with these parameters are taken too, should they cost more than foreign ones may. */
export const boundsWith = ({ memoryKib, timeCost }: HashParameters): ForeignBounds => ({
  ...foreignBounds,
  argon2MemoryKib: Math.max(foreignBounds.argon2MemoryKib, memoryKib),
  argon2Work: Math.max(foreignBounds.argon2Work, memoryKib * timeCost)
})

/** Says in words which of the costs `[what, asked, bound]` is too high; undefined when none is. */
export function excess (...costs: Array<[what: string, asked: number, bound: number]>): string | undefined {
  const [found] = costs.filter(([, asked, bound]) => asked > bound)
  return found && `${found[0]} ${found[1]} is above ${found[2]}`
}

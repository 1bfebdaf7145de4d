import { createHash } from 'node:crypto'

/** Texts of which only eight bytes each are kept: that two of a million are taken for the same has a chance of one in 10^7. */
export interface DigestSet {
  /** Whether the text is new here; it is not afterwards. */
  add(text: string): boolean
  has(text: string): boolean
}

/** Makes an empty set: a table with open addressing that takes 16 to 32 bytes a text. */
export function createDigestSet (): DigestSet {
  let table = new BigUint64Array(1024)
  let size = 0

  // 0 stands for an empty place.
  const digestOf = (text: string): bigint => createHash('sha256').update(text).digest().readBigUInt64LE() || 1n

  /** The place where a digest stands, or would. */
  function find (places: BigUint64Array, digest: bigint): number {
    let place = Number(digest & BigInt(places.length - 1))
    while (places[place] !== 0n && places[place] !== digest) place = (place + 1) % places.length
    return place
  }

  function grow (): void {
    const larger = new BigUint64Array(table.length * 2)
    for (const digest of table) if (digest !== 0n) larger[find(larger, digest)] = digest
    table = larger
  }

  return {
    add (text) {
      const digest = digestOf(text)
      const place = find(table, digest)
      if (table[place] === digest) return false
      table[place] = digest
      size++
      if (size * 2 > table.length) grow()
      return true
    },
    has: text => table[find(table, digestOf(text))] !== 0n
  }
}

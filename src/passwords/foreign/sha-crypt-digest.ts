import { createHash, timingSafeEqual } from 'node:crypto'

const alphabet = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** Bytes of the longest password that crypt(3) takes; the work grows with them. */
const longest = 511

/** `text`, over and over, until there are `length` bytes. */
const repeat = (text: Buffer, length: number): Buffer => Buffer.alloc(length, text)

/** Three bytes at a time, in an order of its own, the last of them first. */
function encode (digest: Buffer, size: 32 | 64): string {
  const at = (index: number): number => digest[index] ?? 0
  const group = (value: number, characters: number): string =>
    Array.from({ length: characters }, (_, i) => alphabet[(value >> 6 * i) & 63]).join('')
  const third = Math.floor(size / 3)
  let [a, b, c] = [0, third, 2 * third]
  let text = ''
  for (let i = 0; i < third; i++) {
    text += group(at(a) << 16 | at(b) << 8 | at(c), 4);
    // SHA-256 turns the three to the left, SHA-512 to the right.
    [a, b, c] = size === 32 ? [c + 1, a + 1, b + 1] : [b + 1, c + 1, a + 1]
  }
  return text + (size === 32 ? group(at(31) << 8 | at(30), 3) : group(at(63), 2))
}

/** Steps of https://www.akkadia.org/drepper/SHA-crypt.txt, by their numbers there. */
function digest (algorithm: 'sha256' | 'sha512', password: Buffer, salt: Buffer, rounds: number): Buffer {
  const hash = (...parts: Buffer[]): Buffer => {
    const state = createHash(algorithm)
    for (const part of parts) state.update(part)
    return state.digest()
  }
  const { length } = password
  // 1 to 12
  const b = hash(password, salt, password)
  const bits = length === 0 ? [] : [...length.toString(2)].reverse()
  let a = hash(password, salt, repeat(b, length), ...bits.map(bit => bit === '1' ? b : password))
  // 13 to 20
  const p = repeat(hash(repeat(password, length * length)), length)
  const s = repeat(hash(repeat(salt, salt.length * (16 + (a[0] ?? 0)))), salt.length)
  // 21
  for (let i = 0; i < rounds; i++) {
    const state = createHash(algorithm).update(i % 2 === 1 ? p : a)
    if (i % 3 !== 0) state.update(s)
    if (i % 7 !== 0) state.update(p)
    a = state.update(i % 2 === 1 ? a : p).digest()
  }
  return a
}

/** Whether the password made this well-formed hash. It works on the thread that it is called on. */
export function verifyShaCrypt ({ password, hash }: { password: string, hash: string }): boolean {
  const [, id, ...rest] = hash.split('$')
  const [expected = '', salt = '', rounds = 'rounds=5000'] = rest.reverse()
  const bytes = Buffer.from(password)
  const known = bytes.subarray(0, longest)
  const [algorithm, size] = id === '5' ? ['sha256', 32] as const : ['sha512', 64] as const
  const made = encode(digest(algorithm, known, Buffer.from(salt), Number(rounds.slice('rounds='.length))), size)
  return timingSafeEqual(Buffer.from(made), Buffer.from(expected)) && bytes.length === known.length
}

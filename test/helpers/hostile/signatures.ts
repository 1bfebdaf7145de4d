import { constants, createHash, privateEncrypt, sign } from 'node:crypto'
import { signBytes, type Forge } from './forge.ts'

type Tokens = Record<string, string>

/** Order of the group and prime of the field of P-256 (NIST SP 800-186, 3.2.1.3). */
export const p256Order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
const p256Prime = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn
/** Order of the base point of Ed25519 (RFC 8032, 5.1). */
const ed25519Order = 2n ** 252n + 27742317777372353535851937790883648493n

export const toBytes = (value: bigint, length: number): Buffer => Buffer.from(value.toString(16).padStart(length * 2, '0'), 'hex')
export const toNumber = (bytes: Buffer): bigint => BigInt(`0x${bytes.toString('hex')}`)
const reversed = (bytes: Buffer): Buffer => Buffer.from(bytes).reverse()

/** A segment whose last character has bits that count for nothing, with one of them set; undefined where there are none. */
export function sloppy (segment: string): string | undefined {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return segment.length % 4 === 0 ? undefined : segment.slice(0, -1) + alphabet.charAt(alphabet.indexOf(segment.slice(-1)) + 1)
}

function anySignatures ({ header, payload, signature, signatureBytes: bytes, withSignature, seal, key, fields }: Forge, otherToken: string): Tokens {
  const flipped = [0, 1, 31, 32, 33, bytes.length - 1].flatMap(at => [0x01, 0x80].map(bit => {
    const copy = Buffer.from(bytes)
    copy.writeUInt8(copy.readUInt8(at) ^ bit, at)
    return [`bit ${bit} of byte ${at} flipped`, withSignature(copy)]
  }))
  const others = sloppy(signature)
  return {
    empty: `${header}.${payload}.`,
    'one byte': withSignature(Buffer.alloc(1)),
    'cut by a byte at the end': withSignature(bytes.subarray(0, -1)),
    'cut by a byte at the start': withSignature(bytes.subarray(1)),
    'cut by a character': `${header}.${payload}.${signature.slice(0, -1)}`,
    half: withSignature(bytes.subarray(0, bytes.length / 2)),
    doubled: withSignature(Buffer.concat([bytes, bytes])),
    'doubled text': `${header}.${payload}.${signature}${signature}`,
    'a zero before': withSignature(Buffer.concat([Buffer.alloc(1), bytes])),
    'a zero after': withSignature(Buffer.concat([bytes, Buffer.alloc(1)])),
    reversed: withSignature(reversed(bytes)),
    'all zero': withSignature(Buffer.alloc(bytes.length)),
    'all ff': withSignature(Buffer.alloc(bytes.length, 0xff)),
    'of another token': `${header}.${payload}.${otherToken.split('.').at(-1)}`,
    'of the payload alone': withSignature(signBytes(fields.alg, key, payload)),
    'of the decoded text': withSignature(signBytes(fields.alg, key, `${Buffer.from(header, 'base64url')}.${Buffer.from(payload, 'base64url')}`)),
    'of other claims': `${header}.${payload}.${seal(header, 'e30').split('.').at(-1)}`,
    ...others === undefined ? {} : { 'other spare bits': `${header}.${payload}.${others}` },
    ...Object.fromEntries(flipped)
  }
}

/** Edges of ECDSA that verifiers were wrong about (Wycheproof; CVE-2022-21449 for both zero). */
function ecdsa ({ key, header, payload, signatureBytes: bytes, withSignature }: Forge): Tokens {
  const [r, s, n, p] = [toNumber(bytes.subarray(0, 32)), toNumber(bytes.subarray(32)), p256Order, p256Prime]
  const pair = (r: bigint, s: bigint, length = 32): string => withSignature(Buffer.concat([toBytes(r, length), toBytes(s, length)]))
  const whole = 2n ** 256n
  const input = Buffer.from(`${header}.${payload}`)
  const der = sign('sha256', input, key)
  return {
    'r = 0': pair(0n, s),
    's = 0': pair(r, 0n),
    'r = s = 0': pair(0n, 0n),
    'r = n': pair(n, s),
    's = n': pair(r, n),
    'r = s = n': pair(n, n),
    'r = n, s = 0': pair(n, 0n),
    'r = 0, s = n': pair(0n, n),
    'r + n in 33 bytes': pair(r + n, s, 33),
    's + n in 33 bytes': pair(r, s + n, 33),
    'r + n, cut to 32 bytes': pair((r + n) % whole, s),
    's + n, cut to 32 bytes': pair(r, (s + n) % whole),
    'r and s in 33 bytes': pair(r, s, 33),
    'r = p': pair(p, s),
    'r = p, s = p': pair(p, p),
    'r = p - n': pair(p - n, s),
    'r = s = 1': pair(1n, 1n),
    'r = 1, s = 0': pair(1n, 0n),
    'r = n - 1, s = n - 1': pair(n - 1n, n - 1n),
    'r = n + 1, s = 1': pair(n + 1n, 1n),
    'negative r (mod n)': pair(n - r, s),
    'negative r (two\'s complement)': pair(whole - r, s),
    'negative s (two\'s complement)': pair(r, whole - s),
    'r and s exchanged': pair(s, r),
    'r = s': pair(r, r),
    DER: withSignature(der),
    'DER, cut to 64 bytes': withSignature(der.subarray(0, 64)),
    'DER of both zero': withSignature(Buffer.from('3006020100020100', 'hex')),
    ...Object.fromEntries(['sha1', 'sha384', 'sha512', 'sha3-256'].map(digest =>
      [`over ${digest}`, withSignature(sign(digest, input, { key, dsaEncoding: 'ieee-p1363' }))]))
  }
}

/** Encodings of points of small order, canonical ones and others (Chalkias et al., "Taming the many EdDSAs", 2020). */
const smallOrderPoints = [
  `01${'00'.repeat(31)}`, `ec${'ff'.repeat(30)}7f`, '00'.repeat(32), `${'00'.repeat(31)}80`,
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a', 'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05', '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
  `01${'00'.repeat(30)}80`, `ec${'ff'.repeat(31)}`, `ed${'ff'.repeat(30)}7f`, `ed${'ff'.repeat(31)}`, `ee${'ff'.repeat(30)}7f`, `ee${'ff'.repeat(31)}`
]

function eddsa ({ key, header, payload, signatureBytes: bytes, withSignature }: Forge): Tokens {
  const [r, s] = [bytes.subarray(0, 32), bytes.subarray(32)]
  const scalar = toNumber(reversed(s))
  const pair = (r: Buffer, s: bigint): string => withSignature(Buffer.concat([r, reversed(toBytes(s, 32))]))
  const shifted = Array.from({ length: 15 }, (_, index) => BigInt(index + 1)).filter(k => scalar + k * ed25519Order < 2n ** 256n)
  const signBit = Buffer.from(r)
  signBit.writeUInt8(signBit.readUInt8(31) ^ 0x80, 31)
  return {
    ...Object.fromEntries(shifted.map(k => [`S + ${k} L`, pair(r, scalar + k * ed25519Order)])),
    ...Object.fromEntries([253n, 254n, 255n].map(bit => [`bit ${bit} of S set`, pair(r, scalar | 2n ** bit)])),
    'S = 0': pair(r, 0n),
    'S = L': pair(r, ed25519Order),
    'negative S': pair(r, ed25519Order - scalar),
    'other sign of R': pair(signBit, scalar),
    ...Object.fromEntries(smallOrderPoints.flatMap((point, index) => [
      [`small-order R ${index}, S = 0`, pair(Buffer.from(point, 'hex'), 0n)],
      [`small-order R ${index}, S kept`, pair(Buffer.from(point, 'hex'), scalar)]
    ])),
    'R and S exchanged': withSignature(Buffer.concat([s, r])),
    'of the SHA-512 of the text': withSignature(sign(null, createHash('sha512').update(`${header}.${payload}`).digest(), key)),
    'as long as one of Ed448': withSignature(Buffer.concat([bytes, Buffer.alloc(50)]))
  }
}

/** Encoded messages that are no EMSA-PKCS1-v1_5 (RFC 8017, 9.2), really signed, and integers out of range. */
function rsa ({ key, header, payload, signatureBytes: bytes, withSignature }: Forge): Tokens {
  const { length } = bytes
  const jwk = key.export({ format: 'jwk' })
  const [n, value] = [toNumber(Buffer.from(jwk.n ?? '', 'base64url')), toNumber(bytes)]
  const input = Buffer.from(`${header}.${payload}`)
  const digest = (name: string): Buffer => createHash(name).update(input).digest()
  const info = Buffer.from('3031300d060960864801650304020105000420', 'hex')
  const t = Buffer.concat([info, digest('sha256')])
  const raw = (message: Buffer): string => withSignature(privateEncrypt({ key, padding: constants.RSA_NO_PADDING }, message))
  const padded = (t: Buffer, { type = 1, fill = 0xff, end = 0 } = {}): Buffer =>
    Buffer.concat([Buffer.from([0, type]), Buffer.alloc(length - t.length - 3, fill), Buffer.from([end]), t])
  const garbage = (before: Buffer, at = 8): Buffer =>
    Buffer.concat([Buffer.from([0, 1]), Buffer.alloc(at, 0xff), Buffer.from([0]), before, Buffer.alloc(length - at - 3 - before.length, 0xaa)])
  const holed = padded(t)
  holed.writeUInt8(0xfe, 40)
  return {
    'the number 0': withSignature(Buffer.alloc(length)),
    'the number 1': withSignature(toBytes(1n, length)),
    'the number n - 1': withSignature(toBytes(n - 1n, length)),
    'the number n': withSignature(toBytes(n, length)),
    'negative (mod n)': withSignature(toBytes(n - value, length)),
    's + n': withSignature(toBytes(value + n, length + 1)),
    // It fits for about one modulus in two.
    ...value + n < 2n ** BigInt(8 * length) ? { 's + n in as many bytes': withSignature(toBytes(value + n, length)) } : {},
    'short padding and garbage (Bleichenbacher 2006)': raw(garbage(t)),
    'garbage after a digest of full padding': raw(garbage(t, length - 3 - t.length - 1)),
    'block type 2': raw(padded(t, { type: 2 })),
    'block type 0': raw(padded(t, { type: 0, fill: 0 })),
    'padding of other bytes': raw(padded(t, { fill: 0xaa })),
    'one other byte in the padding': raw(holed),
    'no zero after the padding': raw(padded(t, { end: 0xff })),
    'no DigestInfo': raw(padded(digest('sha256'))),
    'DigestInfo without NULL': raw(padded(Buffer.concat([Buffer.from('302f300b0609608648016503040201', 'hex'), Buffer.from('0420', 'hex'), digest('sha256')]))),
    'DigestInfo with a long length': raw(padded(Buffer.concat([Buffer.from('308131300d060960864801650304020105000420', 'hex'), digest('sha256')]))),
    'DigestInfo of SHA-512 around SHA-256': raw(padded(Buffer.concat([Buffer.from('3031300d060960864801650304020305000420', 'hex'), digest('sha256')]))),
    'the bare encoded message': withSignature(padded(t)),
    ...Object.fromEntries(['sha1', 'sha384', 'sha512'].map(name => [`over ${name}`, withSignature(sign(name, input, key))])),
    PSS: withSignature(signBytes('PS256', key, `${header}.${payload}`))
  }
}

/** The token with signatures that are none. */
export function hostileSignatures (forge: Forge, otherToken: string): Tokens {
  const own = { ES256: ecdsa, EdDSA: eddsa, RS256: rsa }[forge.fields.alg](forge)
  return { ...anySignatures(forge, otherToken), ...own }
}

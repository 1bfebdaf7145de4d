import { createPublicKey } from 'node:crypto'
import { deflateRawSync } from 'node:zlib'
import { encode, signBytes, strangers, type Content, type Forge, type Victim } from './forge.ts'

type Tokens = Record<string, string>
const named = <T>(prefix: string, values: readonly T[], make: (value: T) => string): Tokens =>
  Object.fromEntries(values.map((value, index) => [`${prefix} ${index} ${JSON.stringify(value)?.slice(0, 40)}`, make(value)]))

/** Algorithms that are not the key's: none, HMAC keyed with what everybody knows, and strangers' keys under our key id. */
export function otherAlgorithms (forge: Forge, victim: Victim): Tokens {
  const { fields, header, payload, signature, seal, byStranger, withHeader } = forge
  const publicKey = createPublicKey(victim.publicKey)
  const pem = victim.publicKey
  const jwk = publicKey.export({ format: 'jwk' })
  const known: Record<string, Buffer> = {
    PEM: Buffer.from(pem),
    'PEM without a last newline': Buffer.from(pem.trimEnd()),
    'PEM with another newline': Buffer.from(`${pem}\n`),
    'PEM with CRLF': Buffer.from(pem.replaceAll('\n', '\r\n')),
    'the base64 of the PEM': Buffer.from(pem.split('\n').slice(1, -2).join('')),
    DER: publicKey.export({ format: 'der', type: 'spki' }),
    JWK: Buffer.from(JSON.stringify(jwk)),
    'JWK as published': Buffer.from(JSON.stringify({ ...jwk, kid: victim.kid, alg: victim.algorithm, use: 'sig' })),
    'x or n': Buffer.from(jwk.x ?? jwk.n ?? '', 'base64url'),
    'the key id': Buffer.from(victim.kid),
    nothing: Buffer.alloc(0)
  }
  const macs = Object.entries(known).flatMap(([what, secret]) => ['HS256', 'HS384', 'HS512'].flatMap(alg => [
    [`${alg} keyed with ${what}`, seal(encode({ ...fields, alg }), payload, alg, secret)],
    [`${alg} keyed with ${what} under the exact header`, seal(header, payload, alg, secret)]
  ]))
  const nones = ['none', 'None', 'NONE', 'nOnE', 'none ', ' none', 'none\u0000', 'nоne', '', 'null', 'undefined']
  return {
    ...named('alg none, no signature', nones, alg => `${encode({ ...fields, alg })}.${payload}.`),
    ...named('alg none, real signature', nones, alg => `${encode({ ...fields, alg })}.${payload}.${signature}`),
    ...named('alg none, some signature', nones, alg => `${encode({ ...fields, alg })}.${payload}.AA`),
    ...named('alg none, two segments', nones, alg => `${encode({ ...fields, alg })}.${payload}`),
    'alg none and nothing else': `${encode({ alg: 'none' })}.${payload}.`,
    ...Object.fromEntries(macs),
    ...named('stranger, own algorithm', Object.keys(strangers), alg => byStranger(alg, { ...fields, alg })),
    ...named('stranger, exact header', Object.keys(strangers), alg => byStranger(alg, fields)),
    ...named('alg, really signed', [
      'es256', 'eddsa', 'rs256', 'Ed25519', 'ES384', 'ES256K', 'PS256', 'RS512', 'HS256', `${fields.alg} `, `${fields.alg}\u0000`, [fields.alg], { alg: fields.alg }, 256, true, null, undefined
    ], alg => withHeader({ ...fields, alg })),
    ...named('neighbour\'s key id', victim.neighbours ?? [], ({ kid }) => withHeader({ ...fields, kid })),
    ...named('neighbour\'s header', victim.neighbours ?? [], ({ kid, algorithm }) => withHeader({ ...fields, kid, alg: algorithm }))
  }
}

/** Headers that carry a key, or where to get one. */
const keyCarriers = (alg: string, urls: readonly string[]): object[] => {
  const stranger = createPublicKey(strangers[alg] ?? '')
  const jwk = { ...stranger.export({ format: 'jwk' }), alg, use: 'sig' }
  const x5c = [stranger.export({ format: 'der', type: 'spki' }).toString('base64')]
  return [
    { jwk }, { jwk: JSON.stringify(jwk) }, { jwk: { ...jwk, jku: urls[0] } }, { jwks: { keys: [jwk] } }, { jwk: { kty: 'oct', k: '' } }, { jwk: null },
    ...urls.flatMap(url => [{ jku: url }, { x5u: url }, { jku: [url], x5u: [url] }, { kid: url }, { iss: url }, { jwk: { jku: url, x5u: url } }, { url }]),
    { x5c }, { x5c: x5c[0] }, { x5t: 'AAAA' }, { 'x5t#S256': 'AAAA' }, { x5c, x5t: 'AAAA', 'x5t#S256': 'AAAA' }, { epk: jwk }, { jku: 'file:///dev/null' }
  ]
}

/** Headers that no verifier may take, whoever signed. */
export function hostileHeaders ({ fields, header, payload, claims, withHeader, byStranger, seal, key }: Forge, { kid, urls, token }: Victim): Tokens {
  const { alg } = fields
  const otherKids: unknown[] = [
    '../../../../../../dev/null', '..%2f..%2fdev%2fnull', '/dev/null', 'C:\\Windows\\win.ini', '\' OR \'1\'=\'1', 'x\' UNION SELECT \'secret\' --', '"; drop table signing_keys; --',
    `${kid}\u0000`, `\u0000${kid}`, `${kid}\u0000.pem`, `${kid} `, ` ${kid}`, `${kid}\n`, kid.toUpperCase(), kid.slice(0, -1), `${kid}${kid}`, '', '0', '\ud800', '*', '%', '$(kid)',
    '__proto__', 'constructor', 'toString', 'hasOwnProperty', 'x'.repeat(8000), [kid], [], { kid }, {}, { toString: 1 }, 0, 1, -1, 1e308, true, false
  ]
  const critical: object[] = [
    { crit: [] }, { crit: ['exp'] }, { crit: ['unknown'], unknown: true }, { crit: ['unknown'] }, { crit: ['b64'], b64: false }, { crit: ['b64'], b64: true }, { crit: 'exp' },
    { crit: ['alg'] }, { crit: ['b64', 'b64'], b64: true }, { crit: [1] }, { crit: [null] }, { crit: {} }, { crit: true }, { crit: ['http://example.com/UNDEFINED'], 'http://example.com/UNDEFINED': true }
  ]
  const texts: Content[] = [
    '', ' ', '{}', '[]', 'null', '0', 'true', '"text"', 'not JSON', '{', `{"alg":"${alg}","typ":"at+jwt","kid":"${kid}"`, `${JSON.stringify(fields)}x`, `[${JSON.stringify(fields)}]`,
    JSON.stringify(JSON.stringify(fields)), JSON.stringify(fields).replaceAll('"', '\''), Buffer.from(JSON.stringify(fields), 'utf16le'), Buffer.from([0xff, 0xfe, 0x80]),
    `{"alg":"${alg}","alg":"none","typ":"at+jwt","kid":"${kid}"}`, `{"alg":"${alg}","typ":"at+jwt","kid":"${kid}","kid":"../x"}`, `{"__proto__":${JSON.stringify(fields)}}`,
    `{"header":${JSON.stringify(fields)}}`, '['.repeat(3000) + ']'.repeat(3000)
  ]
  const clear = JSON.stringify(claims)
  const unencoded = encode({ ...fields, b64: false, crit: ['b64'] })
  return {
    ...named('carries a key, signed with it', keyCarriers(alg, urls), more => byStranger(alg, { ...fields, ...more })),
    ...named('carries a key, no key id', keyCarriers(alg, urls), more => byStranger(alg, { ...fields, kid: undefined, ...more })),
    ...named('kid, really signed', otherKids, kid => withHeader({ ...fields, kid })),
    ...named('kid, by a stranger', otherKids, kid => byStranger(alg, { ...fields, kid })),
    'kid of the null device, HMAC without a key': seal(encode({ ...fields, alg: 'HS256', kid: '../../../../dev/null' }), payload, 'HS256', Buffer.alloc(0)),
    ...named('critical', critical, more => withHeader({ ...fields, ...more })),
    'b64 false, payload in clear': `${unencoded}.${clear}.${signBytes(alg, key, `${unencoded}.${clear}`).toString('base64url')}`,
    'b64 false, detached payload': `${unencoded}..${signBytes(alg, key, `${unencoded}.${clear}`).toString('base64url')}`,
    'deflated payload': seal(encode({ ...fields, zip: 'DEF' }), deflateRawSync(clear).toString('base64url')),
    'nested token': seal(encode({ ...fields, cty: 'JWT' }), encode(token)),
    'nested token under the exact header': seal(header, encode(token)),
    ...named('typ', ['JWT', 'jwt', 'at+jwt ', 'at+JWT;x=1', 'at', 'application/jwt', 'dpop+jwt', 'logout+jwt', 'secevent+jwt', 'rt+jwt', ['at+jwt'], { typ: 'at+jwt' }, '', null, 1, undefined], typ => withHeader({ ...fields, typ })),
    ...named('text', texts, withHeader)
  }
}

/** Headers that say the same in other words, really signed: those who read headers may take them. */
export function legalHeaders ({ fields, withHeader, header, payload, seal }: Forge, { kid, urls }: Victim, sloppyHeader: string | undefined): Tokens {
  const { alg } = fields
  const texts = [
    `{"typ":"at+jwt","alg":"${alg}","kid":"${kid}"}`, `{"kid":"${kid}","typ":"at+jwt","alg":"${alg}"}`, JSON.stringify(fields, null, 2), ` ${JSON.stringify(fields)}`, `${JSON.stringify(fields)}\n`,
    `{"\\u0061lg":"${alg}","typ":"at+jwt","kid":"${kid}"}`, `{"alg":"${alg}","typ":"at\\u002bjwt","kid":"${kid}"}`, `\ufeff${JSON.stringify(fields)}`,
    `{"alg":"none","alg":"${alg}","typ":"at+jwt","kid":"${kid}"}`, `{"alg":"${alg}","typ":"at+jwt","kid":"x","kid":"${kid}"}`, `{"alg":"${alg}","typ":"at+jwt","kid":"${kid}","__proto__":{"kid":"x"}}`
  ]
  return {
    ...named('carries a key, really signed', keyCarriers(alg, urls).filter(more => !('kid' in more)), more => withHeader({ ...fields, ...more })),
    ...named('other words', texts, withHeader),
    ...named('typ', ['application/at+jwt', 'AT+JWT', 'At+Jwt', 'APPLICATION/AT+JWT'], typ => withHeader({ ...fields, typ })),
    ...named('more members', [{ x: 1 }, { zip: 'DEF' }, { cty: 'JWT' }, { b64: false }, { b64: true }, { crit: null }, { crit: undefined, exp: 1 }], more => withHeader({ ...fields, ...more })),
    ...named('no key id', [null, undefined], kid => withHeader({ ...fields, kid })),
    ...sloppyHeader === undefined ? {} : { 'other spare bits in the header': seal(sloppyHeader, payload) },
    'padding in the header': seal(`${header}=`, payload)
  }
}

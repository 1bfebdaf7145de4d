import type { Forge, Victim } from './forge.ts'
import { sloppy } from './signatures.ts'

/** Texts that are no compact JWS of three segments, or a real one in other letters. */
export function hostileForms ({ header, payload, signature, claims, seal }: Forge, { token, otherToken, refreshToken }: Victim): Record<string, string> {
  const standard = (segment: string): string => Buffer.from(segment, 'base64url').toString('base64')
  const [otherHeader = '', otherPayload = '', otherSignature = ''] = otherToken.split('.')
  // Some identifier or other leaves spare bits in the last character of the payload, and makes it need + or / in base64.
  const bodies = Array.from({ length: 300 }, (_, n) => Buffer.from(JSON.stringify({ ...claims, jti: `${'~?'.repeat(9)}${n}` })).toString('base64url'))
  const spare = seal(header, bodies.find(body => sloppy(body) !== undefined) ?? '').split('.')
  const tokens: Record<string, string> = {
    'one segment': header,
    'two segments': `${header}.${payload}`,
    'four segments': `${token}.x`,
    'four segments, an empty one': `${token}.`,
    'an empty segment before': `.${token}`,
    'five segments (JWE)': `${header}.AAAA.AAAA.${payload}.${signature}`,
    'a JWE for nobody': `${Buffer.from('{"alg":"dir","enc":"A256GCM"}').toString('base64url')}..AAAAAAAAAAAAAAAA.AAAA.AAAAAAAAAAAAAAAAAAAAAA`,
    'no payload': `${header}..${signature}`,
    'no header': `.${payload}.${signature}`,
    dots: '..',
    'many dots': '.'.repeat(9000),
    'a dot': '.',
    'a word': 'token',
    null: 'null',
    undefined: 'undefined',
    'the object\'s name': '[object Object]',
    'JSON serialisation': JSON.stringify({ protected: header, payload, signature }),
    'segments exchanged': `${payload}.${header}.${signature}`,
    'segments reversed': `${signature}.${payload}.${header}`,
    'payload of another token': `${header}.${otherPayload}.${signature}`,
    'payload and signature of different tokens': `${otherHeader}.${payload}.${otherSignature}`,
    'the same token twice': `${token}.${token}`,
    'the same token twice without a dot': `${token}${token}`,
    'joined by a comma': `${token},${otherToken}`,
    'joined by a comma and a space': `${token}, ${otherToken}`,
    'joined by a space': `${token} ${otherToken}`,
    quoted: `"${token}"`,
    'percent-encoded dots': token.replaceAll('.', '%2E'),
    'percent-encoded': [...token].map(char => `%${char.charCodeAt(0).toString(16)}`).join(''),
    'encoded once more': Buffer.from(token).toString('base64url'),
    'upper case': token.toUpperCase(),
    'lower case': token.toLowerCase(),
    'dots of another script': token.replaceAll('.', '\uff0e'),
    'a letter of another script': token.replace('e', '\u0435'),
    'an invisible character': `${header}\u200b.${payload}.${signature}`,
    'a no-break space after': `${token}\u00a0`,
    'a refresh token': refreshToken,
    'a refresh token as payload': `${header}.${Buffer.from(refreshToken).toString('base64url')}.${signature}`,
    '15 KiB of signature': `${header}.${payload}.${'A'.repeat(15 * 1024 - header.length - payload.length)}`,
    '15 KiB of payload': `${header}.${'A'.repeat(15 * 1024 - header.length - signature.length)}.${signature}`,
    '15 KiB of header': `${'A'.repeat(15 * 1024 - payload.length - signature.length)}.${payload}.${signature}`,
    '15 KiB of one letter': 'A'.repeat(15 * 1024),
    'other spare bits in the payload': `${spare[0]}.${sloppy(spare[1] ?? '')}.${spare[2]}`
  }
  const real = seal(header, bodies.find(body => /[-_]/.test(body)) ?? '').split('.')
  for (const [index, name] of ['header', 'payload', 'signature'].entries()) {
    const changed = (change: (segment: string) => string): string => real.map((segment, at) => at === index ? change(segment) : segment).join('.')
    const base64 = changed(standard)
    if (base64 !== real.join('.')) tokens[`standard base64 ${name}`] = base64
    tokens[`one padding character in the ${name}`] = changed(segment => `${segment}=`)
    tokens[`two padding characters in the ${name}`] = changed(segment => `${segment}==`)
    tokens[`four padding characters in the ${name}`] = changed(segment => `${segment}====`)
    for (const [what, text] of [['space', ' '], ['tab', '\t'], ['newline', '\n'], ['CRLF', '\r\n'], ['NUL', '\u0000'], ['+', '+'], ['/', '/'], ['=', '='], ['dollar', '$']]) {
      tokens[`${what} before the ${name}`] = changed(segment => `${text}${segment}`)
      tokens[`${what} in the ${name}`] = changed(segment => `${segment.slice(0, 9)}${text}${segment.slice(9)}`)
      tokens[`${what} after the ${name}`] = changed(segment => `${segment}${text}`)
    }
  }
  return tokens
}

import type { Content, Forge } from './forge.ts'

type Tokens = Record<string, string>
const every = (name: string, values: readonly unknown[]): [string, object][] =>
  values.map(value => [`${name} ${value === undefined ? 'missing' : JSON.stringify(value)?.slice(0, 50)}`, { [name]: value }])

const now = (): number => Math.floor(Date.now() / 1000)

/** Claims that are not those of an access token of ours, really signed under the exact header. */
export function hostileClaims ({ claims, withClaims, withPayload }: Forge): Tokens {
  const { iss, aud, sub, sid } = claims
  const noText = [undefined, null, 1, true, {}, []]
  const noTime = [undefined, null, 'soon', '', String(now() + 600), -1, -1e9, true, {}, [], [now() + 600]]
  const noUuid = [...noText, '', 'x', String(sub).toUpperCase(), `${sub} `, `${sub}\n`, `${sub}\u0000`, `{${sub}}`, String(sub).replaceAll('-', ''), [sub], '\' or true --', '../admin']
  const noList = [undefined, null, 'admin', 'user,admin', {}, { 0: 'admin', length: 1 }, [1], [null], [['admin']], true]
  const changes: [string, object][] = [
    ...every('iss', [...noText, 'https://issuer.other', `${iss}/`, `${iss} `, String(iss).toUpperCase(), '', [iss], [iss, 'https://issuer.other'], { 0: iss }]),
    ...every('aud', [...noText, 'other', `${aud} `, String(aud).toUpperCase(), '', ['other'], { 0: aud }, [[aud]], [aud, 1]]),
    ...every('exp', noTime),
    ...every('nbf', noTime),
    ...every('nbf', [now() + 60, now() + 3600, 1e15]),
    ...every('iat', noTime),
    ...every('auth_time', noTime),
    ...every('sub', noUuid),
    ...every('sid', [...noUuid.filter(value => value !== sub), `${sid}${sid}`]),
    ...every('ver', [undefined, null, 0, -1, 1.5, '1', true, [1], {}]),
    ...every('roles', noList),
    ...every('amr', noList),
    ...every('jti', noText),
    ...every('client_id', noText)
  ]
  const text = JSON.stringify(claims)
  const withTime = (value: string): string => text.replace(/"exp":\d+/, `"exp":${value}`)
  const texts: [string, Content][] = [
    ...['[]', '{}', 'null', 'true', '0', '"text"', '', ' ', 'not JSON', '{', `[${text}]`, JSON.stringify(text), `${text}x`, text.slice(0, -1), text.replaceAll('"', '\'')].map((value): [string, Content] => [`payload ${value.slice(0, 20)}`, value]),
    ...['NaN', 'Infinity', '1e999', '-1e999', '0x7fffffff', '+9999999999', '09999999999', '9999999999n', '1_000'].map((value): [string, Content] => [`exp ${value} as it stands`, withTime(value)]),
    ['exp twice, the last one no number', text.replace(/"exp":(\d+)/, '"exp":$1,"exp":"$1"')],
    ['roles twice, the last one no list', text.replace('"roles":', '"roles":["user"],"roles":"admin","x":')],
    ['all of it in __proto__', `{"__proto__":${text}}`],
    ['roles in __proto__', `{"__proto__":{"roles":["admin"]},${JSON.stringify({ ...claims, roles: undefined }).slice(1)}`],
    ['all of it in constructor.prototype', `{"constructor":{"prototype":${text}}}`],
    ['in UTF-16', Buffer.from(text, 'utf16le')],
    ['with a byte order mark', `\ufeff${text}`],
    ['deep', '['.repeat(3000) + ']'.repeat(3000)]
  ]
  return {
    ...Object.fromEntries(changes.map(([name, change]) => [name, withClaims(change)])),
    ...Object.fromEntries(texts.map(([name, content]) => [name, withPayload(content)]))
  }
}

/** Claims that RFC 7519 allows and that no token of ours has, really signed. */
export function legalClaims ({ claims: { aud }, withClaims }: Forge): Tokens {
  return Object.fromEntries([
    ...every('aud', [[aud], [aud, 'other'], ['other', aud]]),
    ...every('exp', [now() + 600.5]),
    ...every('nbf', [now() - 0.5]),
    ...every('iat', [now() - 0.5])
  ].map(([name, change]) => [name, withClaims(change)]))
}

/** Right but for their time. */
export function expiredClaims ({ withClaims }: Forge): Tokens {
  return Object.fromEntries(every('exp', [0, 1, now() - 3600, now() - 1]).map(([name, change]) => [name, withClaims(change)]))
}

/** Unusual and right: a verifier that refused these would refuse a clock that is a little slow. */
export function soundClaims ({ claims, withClaims, withPayload }: Forge): Tokens {
  return {
    'nbf within the skew': withClaims({ nbf: now() + 25, iat: now() + 25 }),
    'more claims': withClaims({ name: 'Ada', nested: { a: [1] } }),
    'a claim called __proto__': withPayload(`{"__proto__":{"roles":["admin"]},${JSON.stringify(claims).slice(1)}`),
    'roles for 15 KiB': withClaims({ roles: Array.from({ length: 1100 }, () => 'role-x') })
  }
}

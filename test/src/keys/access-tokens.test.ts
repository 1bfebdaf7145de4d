import { deepEqual, match } from 'node:assert/strict'
import { createECDH, createHash, createPrivateKey, createPublicKey } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { CodedError } from '../../../src/errors.ts'
import { createAccessTokenVerifier, type AccessTokenVerifier } from '../../../src/keys/access-tokens.ts'
import { toPem } from '../../../src/keys/algorithms.ts'
import { p256Order, toBytes, toNumber } from '../../helpers/hostile/signatures.ts'
import { hostileTokens, signAnything, soundTokens, type Victim } from '../../helpers/hostile-tokens.ts'
import { watchOutbound } from '../../helpers/outbound.ts'
import { claimsOf, createVictim, tokenOptions } from '../../helpers/victim.ts'

const verifierOf = (victims: readonly Victim[], cacheSize = 0): AccessTokenVerifier =>
  createAccessTokenVerifier(victims, { ...tokenOptions, now: Date.now, cacheSize })

/** What becomes of a token: its claims, or the code that it is refused with. Anything else that is thrown goes on. */
function judge (verify: AccessTokenVerifier, token: string): object | string {
  try {
    return verify(token) ?? 'TOKEN_INVALID'
  } catch (error) {
    if (error instanceof CodedError) return error.code
    throw error
  }
}

const keys = Promise.all((['ES256', 'EdDSA', 'RS256'] as const).map(async algorithm => await createVictim(algorithm)))

t.test('every hostile token is refused, beside keys of each algorithm', async t => {
  const outbound = await watchOutbound(t)
  const victims = await keys
  // What is remembered must change nothing.
  const verifiers = [0, 10].map(cacheSize => verifierOf(victims, cacheSize))
  for (const victim of victims) {
    const tokens = hostileTokens({ ...victim, neighbours: victims.filter(other => other !== victim), urls: outbound.urls })
    for (const verify of verifiers) {
      const wrong = tokens.flatMap(({ name, token, code }) => {
        verify(victim.token)
        const verdict = judge(verify, token)
        return verdict === code ? [] : [{ name, verdict }]
      })
      t.same(wrong, [], victim.algorithm)
      t.same(verify(victim.token), claimsOf(victim.token), `${victim.algorithm}: a good token is still good`)
    }
  }
  await outbound.check()
})

t.test('unusual tokens that are right are accepted, whatever signature of the same claims came first', async t => {
  const victims = await keys
  for (const victim of victims) {
    const verify = verifierOf(victims, 10)
    for (const { name, token } of soundTokens(victim)) t.same(judge(verify, token), claimsOf(token), `${victim.algorithm}: ${name}`)
  }
  t.notOk('roles' in {}, 'no prototype was touched')
})

t.test('s + n is refused where it fits into 32 bytes, too', async t => {
  // A key made to measure: with the nonce 2 and s = 5 chosen first, it is d = (s k - e) / r.
  const template = await createVictim('ES256')
  const [header, payload] = template.token.split('.')
  const [nonce, s] = [2n, 5n]
  const curve = createECDH('prime256v1')
  curve.setPrivateKey(toBytes(nonce, 32))
  const r = toNumber(curve.getPublicKey().subarray(1, 33)) % p256Order
  const e = toNumber(createHash('sha256').update(`${header}.${payload}`).digest())
  const d = mod((s * nonce - e) * power(r, p256Order - 2n))
  curve.setPrivateKey(toBytes(d, 32))
  const point = curve.getPublicKey()
  const [x, y] = [point.subarray(1, 33), point.subarray(33)].map(half => half.toString('base64url'))
  const key = createPrivateKey({ key: { kty: 'EC', crv: 'P-256', x, y, d: toBytes(d, 32).toString('base64url') }, format: 'jwk' })
  const verify = verifierOf([{ ...template, publicKey: toPem(createPublicKey(key)) }])
  const token = (s: bigint): string => `${header}.${payload}.${Buffer.concat([toBytes(r, 32), toBytes(s, 32)]).toString('base64url')}`
  t.same(judge(verify, token(s)), claimsOf(template.token), 's is right')
  t.same(judge(verify, token(p256Order - s)), claimsOf(template.token), 'n - s is right')
  t.equal(judge(verify, token(s + p256Order)), 'TOKEN_INVALID')
  t.equal(judge(verify, token(2n * p256Order - s)), 'TOKEN_INVALID')

  function mod (value: bigint): bigint { return ((value % p256Order) + p256Order) % p256Order }
  function power (base: bigint, exponent: bigint): bigint {
    let [result, square] = [1n, base]
    for (let rest = exponent; rest > 0n; rest >>= 1n, square = mod(square * square)) if ((rest & 1n) === 1n) result = mod(result * square)
    return result
  }
})

type Edit = (text: string, other: string) => string
const place = fc.nat(2000)
const character = fc.oneof(fc.constantFrom(...'ABCZabcz019-_.=+/ "\n\u0000'), fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }))
/** One change of a text that may also fall back on a second token. */
const edit: fc.Arbitrary<Edit> = fc.oneof(
  fc.tuple(place, fc.integer({ min: 0, max: 6 })).map(([at, bit]): Edit => text =>
    text.slice(0, at % text.length) + String.fromCharCode(text.charCodeAt(at % text.length) ^ (1 << bit)) + text.slice(at % text.length + 1)),
  fc.tuple(place, character).map(([at, char]): Edit => text => text.slice(0, at % text.length) + char + text.slice(at % text.length)),
  fc.tuple(place, fc.integer({ min: 1, max: 40 })).map(([at, length]): Edit => text => text.slice(0, at % text.length) + text.slice(at % text.length + length)),
  fc.tuple(place, place).map(([a, b]): Edit => text => {
    const letters = [...text]
    const [i, j] = [a % letters.length, b % letters.length]
    ;[letters[i], letters[j]] = [letters[j] ?? '', letters[i] ?? '']
    return letters.join('')
  }),
  fc.shuffledSubarray([0, 1, 2], { minLength: 1 }).map((order): Edit => text => order.map(at => text.split('.')[at] ?? '').join('.')),
  place.map((at): Edit => (text, other) => text.slice(0, at % text.length) + other.slice(at % text.length)),
  fc.tuple(place, place).map(([a, b]): Edit => (text, other) => text.slice(0, a % text.length) + other.slice(b % other.length)),
  fc.subarray([0, 1, 2], { minLength: 1, maxLength: 2 }).map((taken): Edit => (text, other) =>
    [0, 1, 2].map(at => (taken.includes(at) ? other : text).split('.')[at] ?? '').join('.'))
)

t.test('whatever is done to real tokens, only the real ones are accepted', async () => {
  for (const victim of await keys) {
    const verify = verifierOf([victim], 10)
    const [token, other] = [victim.token, victim.otherToken]
    fc.assert(fc.property(fc.array(edit, { minLength: 1, maxLength: 3 }), fc.boolean(), (edits, exchanged) => {
      const mutant = edits.reduce((text, change) => text === '' ? text : change(text, exchanged ? token : other), exchanged ? other : token)
      const expected = mutant === token || mutant === other ? claimsOf(mutant) : 'TOKEN_INVALID'
      deepEqual(judge(verify, mutant), expected, mutant)
    }), { numRuns: 800 })
    fc.assert(fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.string()), text => { deepEqual(judge(verify, text), 'TOKEN_INVALID') }), { numRuns: 300 })
  }
})

t.test('whatever the key signs, only right claims under the exact header are accepted', async t => {
  const victims = (await keys).filter(({ algorithm }) => algorithm !== 'RS256')
  for (const victim of victims) {
    const verify = verifierOf([victim])
    const right = claimsOf(victim.token)
    const anything = fc.jsonValue()
    const claims = fc.record(Object.fromEntries(Object.entries(right).map(([name, value]) =>
      [name, fc.oneof({ weight: 30, arbitrary: fc.constant<unknown>(value) }, anything, fc.double().map(String), fc.integer(), fc.constant([value]))])), { requiredKeys: [] })
    const whole = fc.oneof(claims, claims.map(some => ({ ...right, ...some })), anything)
    let accepted = 0
    fc.assert(fc.property(whole, payload => {
      const text = JSON.stringify(payload)
      const verdict = judge(verify, signAnything(victim, undefined, text))
      if (typeof verdict === 'string') return match(verdict, /^TOKEN_(INVALID|EXPIRED)$/)
      accepted++
      const { iss, aud, exp, ver, roles } = claimsOf(`.${Buffer.from(text).toString('base64url')}`)
      deepEqual(verdict, JSON.parse(text))
      deepEqual([iss, aud, exp > Date.now() / 1000, ver >= 1, Array.isArray(roles)], [right.iss, right.aud, true, true, true])
    }), { numRuns: 800 })
    t.ok(accepted > 0)
    const header = fc.oneof(anything.map(value => JSON.stringify(value)), fc.string(), fc.dictionary(fc.constantFrom('alg', 'typ', 'kid', 'jwk', 'crit'), anything).map(more => JSON.stringify({ alg: victim.algorithm, typ: 'at+jwt', kid: victim.kid, ...more })))
    const exact = Buffer.from(victim.token.split('.')[0] ?? '', 'base64url').toString()
    fc.assert(fc.property(header, text => {
      const verdict = judge(verify, signAnything(victim, text, JSON.stringify(right)))
      deepEqual(verdict, text === exact ? right : 'TOKEN_INVALID')
    }), { numRuns: 500 })
  }
})

import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import t from 'tap'
import { readJwkSet } from '../../../src/verify/jwk-set.ts'

const jwk = (key: KeyObject): Record<string, unknown> => ({ ...key.export({ format: 'jwk' }) })
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const ed = generateKeyPairSync('ed25519')
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const good = jwk(ec.publicKey)

t.test('takes P-256, Ed25519 and RSA from 2048 bit, each for the algorithm of its type', async t => {
  const keys = readJwkSet({ keys: [{ ...good, kid: 'a' }, { ...jwk(ed.publicKey), kid: 'b', alg: 'EdDSA' }, { ...jwk(rsa.publicKey), kid: 'c', use: 'sig', key_ops: ['verify'], other: {} }] })
  t.same(keys.map(({ kid, algorithm }) => [kid, algorithm]), [['a', 'ES256'], ['b', 'EdDSA'], ['c', 'RS256']])
})

t.test('of a private key only the public members are taken', async t => {
  const [key] = readJwkSet({ keys: [{ ...jwk(ec.privateKey), kid: 'a' }] })
  t.match(key?.publicKey, /^-----BEGIN PUBLIC KEY-----/)
  t.throws(() => createPrivateKey(String(key?.publicKey)))
})

t.test('passes over every other entry', async t => {
  const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey
  const useless: unknown[] = [
    null, 1, 'x', [], {}, good, { ...good, kid: '' }, { ...good, kid: 7 }, { ...good, kid: 'a', use: 'enc' }, { ...good, kid: 'a', key_ops: ['encrypt'] },
    { ...good, kid: 'a', alg: 'RS256' }, { ...good, kid: 'a', alg: 'HS256' }, { ...good, kid: 'a', alg: 'none' }, { ...good, kid: 'a', alg: 1 }, { ...good, kid: 'a', x: 'AAAA' }, { ...good, kid: 'a', y: good.x },
    { kty: 'oct', kid: 'a', k: 'AAAA', alg: 'HS256' }, { kty: 'AKP', kid: 'a', alg: 'ML-DSA-44', pub: 'AAAA' },
    { ...jwk(weak), kid: 'a' }, { ...jwk(generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey), kid: 'a' }, { ...jwk(generateKeyPairSync('x25519').publicKey), kid: 'a' }
  ]
  for (const entry of useless) t.throws(() => readJwkSet({ keys: [entry] }), { message: /no key that verifies/ }, JSON.stringify(entry))
  t.equal(readJwkSet({ keys: [...useless, { ...good, kid: 'a' }] }).length, 1)
  for (const set of [null, [], {}, { keys: {} }, 'keys']) t.throws(() => readJwkSet(set), { message: /no JWK set/ })
})

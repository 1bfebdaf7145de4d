import t from 'tap'
import { createTestApp } from '../../helpers/app.ts'
import { createTestDatabase } from '../../helpers/database.ts'
import { jwksOf, kidOf, publishedKids, verifyElsewhere } from '../../helpers/keys.ts'
import { readMe, refresh, signUp } from '../../helpers/people.ts'
import { until } from '../../helpers/until.ts'

const kinds = {
  ES256: { kty: 'EC', crv: 'P-256', members: ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'] },
  EdDSA: { kty: 'OKP', crv: 'Ed25519', members: ['alg', 'crv', 'kid', 'kty', 'use', 'x'] },
  RS256: { kty: 'RSA', crv: undefined, members: ['alg', 'e', 'kid', 'kty', 'n', 'use'] }
} as const

for (const algorithm of ['ES256', 'EdDSA', 'RS256'] as const) {
  t.test(`${algorithm}: tokens verify here and with an independent library`, async t => {
    const api = await createTestApp(t, { jwt: { issuer: 'https://issuer.test', algorithm } })
    const person = await signUp(api)
    t.equal((await readMe(api, person.accessToken)).statusCode, 200)
    t.match(await verifyElsewhere(api, person.accessToken, algorithm), { sub: person.id, client_id: 'auth-serve' })
    const [jwk] = (await jwksOf(api)).keys
    const { members, ...kind } = kinds[algorithm]
    t.match(jwk, { alg: algorithm, use: 'sig', kid: kidOf(person.accessToken), kty: kind.kty })
    t.equal(jwk.crv, kind.crv)
    t.same(Object.keys(jwk).sort(), members, 'no private member')
    if (algorithm === 'RS256') t.equal(Buffer.from(jwk.n, 'base64url').length * 8, 3072)
    await t.rejects(verifyElsewhere(api, `${person.accessToken.slice(0, -8)}AAAAAAAA`, algorithm))
    t.equal((await readMe(api, `${person.accessToken.slice(0, -8)}AAAAAAAA`)).statusCode, 401)
  })
}

t.test('a changed algorithm takes effect at the next start, and old tokens stay valid', async t => {
  const location = await createTestDatabase(t)
  const jwt = { issuer: 'https://issuer.test', keyActivationSeconds: 1 }
  const before = await createTestApp(t, { jwt }, location)
  const person = await signUp(before)
  const after = await createTestApp(t, { jwt: { ...jwt, algorithm: 'EdDSA' } }, location)
  const { keys } = await jwksOf(after)
  t.same(keys.map(({ alg }: { alg: string }) => alg), ['ES256', 'EdDSA'], 'published before its first use')
  await until('the new key signs', async () => kidOf((await signUp(after)).accessToken) === keys[1].kid)
  const newer = await signUp(after)
  for (const api of [before, after]) {
    t.equal((await readMe(api, person.accessToken)).statusCode, 200)
    t.equal((await readMe(api, newer.accessToken)).statusCode, 200)
  }
  t.equal((await verifyElsewhere(before, newer.accessToken, 'EdDSA')).sub, newer.id)
  t.equal((await verifyElsewhere(after, person.accessToken, 'ES256')).sub, person.id)
  const renewed = (await refresh(before, person.refreshToken)).json()
  t.equal(kidOf(renewed.accessToken), keys[1].kid, 'the instance that was started before signs with it too')
  t.same(await publishedKids(before), await publishedKids(after), 'and makes none of its own algorithm again')
})

import { writeFile } from 'node:fs/promises'
import { generateKeyPairSync } from 'node:crypto'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { readKeyFiles } from '../../../src/key-files.ts'
import { readPemKey, readPemKeys } from '../../../src/keys/pem-keys.ts'
import { createTestApp } from '../../helpers/app.ts'
import { createTestDatabase } from '../../helpers/database.ts'
import { jwksOf, kidOf, listKeys, publishedKids, rotateKeys, signUpAdmin, verifyElsewhere, rotateWhenDue } from '../../helpers/keys.ts'
import { readMe, refresh, signUp } from '../../helpers/people.ts'
import { ed25519, encryptedPem, p256, privatePem, publicPem, rsa } from '../../helpers/pem.ts'
import { temporaryFolder } from '../../helpers/service.ts'
import { until } from '../../helpers/until.ts'

const issuer = 'https://issuer.test'
const [ec, other, okp, big, weak] = [p256(), p256(), ed25519(), rsa(), rsa(2048)]

/** PEM texts that are refused, with what is said of them. */
const refused: [string, string, RegExp][] = [
  ['RSA below 3072 bits', privatePem(weak), /2048 bits and needs 3072/],
  ['encrypted PKCS #8', encryptedPem(ec), /encrypted: decrypt it/],
  ['encrypted PKCS #1', big.privateKey.export({ format: 'pem', type: 'pkcs1', cipher: 'aes-256-cbc', passphrase: 'a passphrase' }).toString(), /encrypted: decrypt it/],
  ['garbage', 'garbage of nobody', /no private or public key in PEM/],
  ['nothing', '', /no private or public key in PEM/],
  ['a damaged key', privatePem(ec).replace(/[A-Za-z0-9]{20}/, 'AAAAAAAAAAAAAAAAAAAA'), /no private or public key in PEM/],
  ['another curve', privatePem(generateKeyPairSync('ec', { namedCurve: 'P-384' })), /no P-256, Ed25519 or RSA key/],
  ['a key that cannot sign', privatePem(generateKeyPairSync('x25519')), /no P-256, Ed25519 or RSA key/],
  ['RSA-PSS', privatePem(generateKeyPairSync('rsa-pss', { modulusLength: 3072 })), /no P-256, Ed25519 or RSA key/],
  ['the public part of one and the private of another', publicPem(other) + privatePem(ec), /more than one key/]
]

/** Nothing of a key may be shown: not even one of its lines. */
function showsNothing (t: Test, message: string, pem: string): void {
  t.notOk(pem.split('\n').some(line => line.length > 8 && message.includes(line)), 'nothing of it is shown')
}

t.test('PKCS #8, SEC 1, PKCS #1 and SPKI are read, with one key id for both parts', async t => {
  for (const [algorithm, pair, pems] of [
    ['ES256', ec, [privatePem(ec), privatePem(ec, 'sec1')]],
    ['EdDSA', okp, [privatePem(okp)]],
    ['RS256', big, [privatePem(big), privatePem(big, 'pkcs1')]]
  ] as const) {
    const shown = readPemKey(publicPem(pair))
    t.match(shown, { algorithm, privateKey: undefined, kid: /^[\w-]{43}$/ })
    for (const pem of pems) t.match(readPemKey(pem), { algorithm, kid: shown.kid, privateKey: /BEGIN PRIVATE KEY/, publicKey: publicPem(pair) })
  }
})

t.test('whatever cannot be used is told, and nothing of it shown', async t => {
  for (const [name, pem, message] of refused) {
    const { keys, problems } = readPemKeys([privatePem(okp), pem])
    t.equal(keys.length, 1, name)
    t.match(problems, [{ index: 1, message }], name)
    showsNothing(t, problems[0]?.message ?? '', pem)
  }
  t.match(readPemKeys([privatePem(ec), publicPem(ec)]).problems, [{ index: 1, message: /same key as one before/ }])
})

t.test('the option keys: each problem at its place', async t => {
  const location = await createTestDatabase(t)
  const start = async (keys: string[]) => await createTestApp(t, { jwt: { issuer, keys } }, location)
  const pems = refused.map(([, pem]) => pem)
  const error = await start([privatePem(ec), ...pems]).then(() => new Error('it started'), (error: Error) => error)
  t.type(error, TypeError)
  for (const [index, [name, pem, message]] of refused.entries()) {
    t.match(error.message, new RegExp(`/keys/${index + 1}: [^;]*${message.source}`), name)
    showsNothing(t, error.message, pem)
  }
})

t.test('JWT_KEY_FILES: every file that cannot be used is named', async t => {
  const folder = await temporaryFolder(t)
  const write = async (name: string, pem: string) => { await writeFile(join(folder, name), pem); return join(folder, name) }
  const good = await write('good.pem', privatePem(ec))
  t.same(await readKeyFiles([]), [])
  t.same(await readKeyFiles([good]), [privatePem(ec)])
  const bad = await Promise.all(refused.map(async ([, pem], index) => await write(`bad-${index}.pem`, pem)))
  const error: Error = await readKeyFiles([good, join(folder, 'none.pem'), folder, ...bad]).then(() => new Error('read'), (error: Error) => error)
  t.equal(error.constructor.name, 'ConfigError')
  t.match(error.message, /JWT_KEY_FILES: \S+none\.pem cannot be read \(ENOENT\)/)
  t.match(error.message, /cannot be read \(EISDIR\)/)
  for (const [index, [name, pem, message]] of refused.entries()) {
    t.match(error.message, new RegExp(`bad-${index}\\.pem cannot be used: [^\\n]*${message.source}`), name)
    showsNothing(t, error.message, pem)
  }
  t.same(await readKeyFiles([await write('public.pem', publicPem(ec))]), [publicPem(ec)])
})

t.test('keys of files: the first private one signs, all verify, and the service makes none', async t => {
  const location = await createTestDatabase(t)
  const start = async (...keys: string[]) => await createTestApp(t, { jwt: { issuer, keys } }, location)
  const [oldKid, newKid] = [readPemKey(privatePem(big)).kid, readPemKey(privatePem(okp)).kid]
  const before = await start(privatePem(big))
  const person = await signUp(before)
  t.equal(kidOf(person.accessToken), oldKid)
  t.equal((await verifyElsewhere(before, person.accessToken, 'RS256')).sub, person.id)

  const published = await start(privatePem(big), privatePem(okp))
  t.same(await publishedKids(published), [oldKid, newKid])
  const switched = await start(privatePem(okp), publicPem(big))
  const renewed = (await refresh(switched, person.refreshToken)).json()
  t.equal(kidOf(renewed.accessToken), newKid)
  for (const api of [published, switched]) {
    t.equal((await readMe(api, person.accessToken)).statusCode, 200)
    t.equal((await readMe(api, renewed.accessToken)).statusCode, 200)
  }
  const rolled = await start(privatePem(okp))
  t.equal((await readMe(rolled, person.accessToken)).statusCode, 401)
  t.equal((await readMe(rolled, renewed.accessToken)).statusCode, 200)
  t.match(await jwksOf(rolled), { keys: [{ kid: newKid, alg: 'EdDSA' }] })

  const admin = await signUpAdmin(switched)
  t.match(await listKeys(switched, admin), [
    { kid: newKid, source: 'file', state: 'active', createdAt: null, activatesAt: null },
    { kid: oldKid, source: 'file', state: 'retiring' }
  ])
  const refusal = await rotateKeys(switched, admin)
  t.match(refusal.json(), { status: 409, code: 'CONFLICT', detail: /come from files/ })
})

t.test('a public key alone verifies beside the keys that the service makes', async t => {
  const location = await createTestDatabase(t)
  const verifying = await createTestApp(t, { jwt: { issuer, keys: [publicPem(ec)] } }, location)
  const admin = await signUpAdmin(verifying)
  const fileKid = readPemKey(privatePem(ec)).kid
  t.not(kidOf(admin.accessToken), fileKid)
  t.match(await listKeys(verifying, admin), [{ kid: fileKid, source: 'file', state: 'retiring' }, { source: 'database', state: 'active' }])
  t.equal((await rotateKeys(verifying, admin)).statusCode, 201)

  const signing = await createTestApp(t, { jwt: { issuer, keys: [privatePem(ec)] } }, location)
  const person = await signUp(signing)
  t.equal(kidOf(person.accessToken), fileKid)
  t.equal((await readMe(verifying, person.accessToken)).statusCode, 200, 'so files can come to one instance after another')
  const retire = rotateWhenDue(t, location, 90, [readPemKey(privatePem(ec))])
  await retire()
  await until('the other one makes a key again', async () => (await listKeys(verifying, admin)).filter(({ state }) => state === 'active').length === 1)
  const before = await listKeys(verifying, admin)
  await retire()
  t.same(await listKeys(verifying, admin), before, 'and the two do not go on replacing each other\'s')
})

t.test('files in place of stored keys: the tokens of the stored ones go on', async t => {
  const location = await createTestDatabase(t)
  const stored = await createTestApp(t, { jwt: { issuer } }, location)
  const person = await signUp(stored)
  const api = await createTestApp(t, { jwt: { issuer, keys: [privatePem(ec)] } }, location)
  t.equal((await readMe(api, person.accessToken)).statusCode, 200)
  t.equal(kidOf((await signUp(api)).accessToken), readPemKey(privatePem(ec)).kid)
  t.equal((await jwksOf(api)).keys.length, 2)
})

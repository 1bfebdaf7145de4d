import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import t from 'tap'
import { packageRoot } from '../../../src/package-root.ts'
import { loadHashEngine } from '../../../src/passwords/engines.ts'
import { acceptHash, boundsWith, fromBetterAuth, fromDjango, fromFirebase, fromKeycloak, parseForeignHash, refusalOfHash, type Acceptance, type FirebaseAccount, type FirebaseProject, type KeycloakCredential } from '../../../src/passwords/foreign/index.ts'
import { verifyInThread } from '../../../src/passwords/foreign/sha-crypt-in-thread.ts'
import { createPasswordHasher } from '../../../src/passwords/hasher.ts'

interface Given { made: string, password: string }
type Vector = Given & (
  { from: 'text' | 'django' | 'better-auth', given: string } |
  { from: 'keycloak', given: KeycloakCredential } |
  { from: 'firebase', given: FirebaseAccount, project: FirebaseProject })

const { vectors }: { vectors: Vector[] } = JSON.parse(await readFile(join(packageRoot, 'test/src/passwords/foreign-vectors.json'), 'utf8'))
const texts = vectors.flatMap(({ given }) => typeof given === 'string' ? [given] : [])
const hasher = createPasswordHasher({ engine: await loadHashEngine('auto'), memoryKib: 64, timeCost: 1, parallelism: 1 })

function accept (vector: Vector): Acceptance {
  switch (vector.from) {
    case 'text': return acceptHash(vector.given)
    case 'django': return fromDjango(vector.given)
    case 'better-auth': return fromBetterAuth(vector.given)
    case 'keycloak': return fromKeycloak(vector.given)
    case 'firebase': return fromFirebase(vector.given, vector.project)
  }
}

const hashOf = (acceptance: Acceptance): string => 'hash' in acceptance ? acceptance.hash : acceptance.refused
const refusalOf = (acceptance: Acceptance): string => 'refused' in acceptance ? acceptance.refused : ''

t.test('a hash that another tool made verifies, with its own password alone, and is to be replaced', async t => {
  for (const vector of vectors) {
    const hash = hashOf(accept(vector))
    const name = `${vector.from}: ${vector.made}`
    const wrong = vector.password.slice(1)
    const [right, other] = await Promise.all([hasher.verify(hash, vector.password), hasher.verify(hash, wrong)])
    t.same([right, other], [true, false], name)
    t.equal(hasher.needsRehash(hash), true, name)
    t.equal(refusalOfHash(hash), undefined, name)
    t.same(acceptHash(hash), { hash }, `${name}: the stored text is accepted as it is`)
  }
})

t.test('SHA-crypt does not hold up the event loop', async t => {
  let turns = 0
  const answered = hasher.verify(`$6$rounds=100000$saltsalt$${'.'.repeat(86)}`, 'password').then(matches => { t.equal(matches, false); return true })
  while (!await Promise.race([answered, turn(false)])) turns++
  t.ok(turns > 100, `${turns} turns of the loop meanwhile`)
})

t.test('SHA-crypt: a thread that fails is an error and no answer', async t => {
  await t.rejects(verifyInThread('password', '$5$too short'), RangeError)
})

t.test('SHA-crypt takes passwords of up to 511 bytes, as crypt(3) does, and answers for longer ones', async t => {
  // python crypt.crypt (libxcrypt), of 511 times "a"; it refuses longer ones
  const hash = '$5$saltsalt$wfdjzKodoMloJTPRgfXyTSDDa7IGQ.QZ0AaXK2BdE88'
  t.equal(await hasher.verify(hash, 'a'.repeat(511)), true)
  t.equal(await hasher.verify(hash, 'a'.repeat(512)), false)
  t.equal(await hasher.verify(hash, ''), false)
})

t.test('bcrypt takes the first 72 bytes, under each of its letters', async t => {
  // htpasswd -nbB -C 4, of 72 times "q"
  const rest = '04$iBQNvXZPTMS0GGqO7Ehpa.9tNDQy.D5ZjSWb299RyHnPnK.OKw9By'
  for (const letter of ['a', 'b', 'y']) t.equal(await hasher.verify(`$2${letter}$${rest}`, 'q'.repeat(300)), true, letter)
})

t.test('the password is taken as typed, in NFKC for Better Auth, and in both ways for argon2 of unknown origin', async t => {
  const decomposed = 'e\u0301clair \uFB01n'
  const key = (form: string) => hashOf(acceptHash(form))
  // python hashlib.pbkdf2_hmac('sha256', password, b'salt', 1, 16)
  const typed = key('$pbkdf2-sha256$i=1$c2FsdA$YifW2VzJjIM80wWGEPxDyw')
  t.equal(await hasher.verify(typed, decomposed), true)
  t.equal(await hasher.verify(typed, decomposed.normalize('NFC')), false)
  // argon2 somesalt -id -m 6 -t 2 -p 1
  const argon2 = key('$argon2id$v=19$m=64,t=2,p=1$c29tZXNhbHQ$UMbZAwwEu8lPzV4Q4nZ8k4h3tukGkQ/0PgcRwJMfHdg')
  t.equal(await hasher.verify(argon2, decomposed), true)
  t.equal(await hasher.verify(argon2, decomposed.normalize('NFKD')), false)
  const ours = await hasher.hash(decomposed)
  t.equal(await hasher.verify(ours, decomposed), true)
})

const bcryptRest = 'N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy'
const tag = 'nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4'

t.test('a hash that is malformed is refused in words, and costs no more than nobody\'s', async t => {
  const malformed = [
    `$2b$03$${bcryptRest}`, `$2b$32$${bcryptRest}`, `$2b$1$${bcryptRest}`, `$2b$10$${bcryptRest}x`, `$2b$10$${bcryptRest.slice(1)}`, `$2b$10$${bcryptRest}\n`,
    `$2b$10$N9qo8uLOickgx2ZMRZoMyf${bcryptRest.slice(22)}`, `bcrypt_sha256$$2x$10$${bcryptRest}`,
    `$pbkdf2-sha256$i=0$c2FsdA$${tag}`, `$pbkdf2-sha256$i=01$c2FsdA$${tag}`, '$pbkdf2-sha256$i=1000$c2FsdA$c2FsdA', `$pbkdf2-sha256$i=1000$c2FsdB$${tag}`, `$pbkdf2-sha256$1e3$c2FsdA$${tag}`,
    `$scrypt$ln=0,r=8,p=1$c2FsdA$${tag}`, `$scrypt$ln=14,r=8$c2FsdA$${tag}`, `$scrypt$n=14,r=8,p=1$c2FsdA$${tag}`, '$scrypt$ln=14,r=8,p=1$c2FsdA$', `$scrypt$ln=16,r=1,p=1$c2FsdA$${tag}`,
    `$fbscrypt$v=2,n=14,r=8,p=1,ss=Bw==,sk=${tag}=$c2FsdA==$${tag}=`, `$fbscrypt$v=1,n=14,r=8,p=1,ss=Bw,sk=${tag}=$c2FsdA==$${tag}=`, `$fbscrypt$v=1,n=14,r=8,p=1$c2FsdA==$${tag}=`, `$fbscrypt$v=1,n=14,r=8,p=1,ss=Bw==,sk=${tag}=$c2FsdA==$c2FsdA==`,
    `$argon2id$v=18$m=256,t=2,p=1$c29tZXNhbHQ$${tag}`, `$argon2id$v=19$m=7,t=2,p=1$c29tZXNhbHQ$${tag}`, `$argon2id$v=19$m=256,t=2,p=1,keyid=a$c29tZXNhbHQ$${tag}`, `$argon2id$v=19$m=256,t=2,p=1$c2FsdA$${tag}`, '$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ',
    `$5$saltsalt$${'.'.repeat(42)}`, `$5$rounds=999$saltsalt$${'.'.repeat(43)}`, `$5$rounds=05000$saltsalt$${'.'.repeat(43)}`, `$5$a salt$${'.'.repeat(43)}`, `$6$${'s'.repeat(17)}$${'.'.repeat(86)}`, `$6$salt$${'.'.repeat(85)}z`
  ]
  for (const text of malformed) {
    t.match(refusalOf(acceptHash(text)), /^the hash is not well-formed; it looks like /, text)
    t.equal(parseForeignHash(text), undefined)
    t.equal(await hasher.verify(text, 'password'), false)
  }
  for (const text of ['', 'hunter2', '5f4dcc3b5aa765d61d8327deb882cf99', '{SSHA}abc', '$1$salt$hash', '$2x$10$' + bcryptRest, '$2b$' + 'x'.repeat(5000)]) {
    t.match(acceptHash(text), { refused: 'the hash is of no scheme that is known here' }, text)
  }
})

t.test('a hash that costs too much is refused in words; bounds may be lower than ours, and never higher', async t => {
  const costly: Array<[string, string]> = [
    [`$2b$16$${bcryptRest}`, 'bcrypt cost 16 is above 15'],
    [`bcrypt_sha256$$2b$31$${bcryptRest}`, 'bcrypt cost 31 is above 15'],
    [`$pbkdf2-sha256$i=6000001$c2FsdA$${tag}`, 'PBKDF2 iterations times blocks 6000001 is above 6000000'],
    [`$pbkdf2-sha1$i=3000001$c2FsdA$${tag}`, 'PBKDF2 iterations times blocks 6000002 is above 6000000'],
    [`$scrypt$ln=18,r=8,p=2$c2FsdA$${tag}`, 'scrypt memory (128 * N * r * p) 536870912 is above 268435456'],
    [`$scrypt$ln=30,r=9999,p=9999$c2FsdA$${tag}`, `scrypt memory (128 * N * r * p) ${128 * 2 ** 30 * 9999 * 9999} is above 268435456`],
    [`$fbscrypt$v=1,n=19,r=8,p=1,sk=${tag}=$c2FsdA==$${tag}=`, 'scrypt memory (128 * N * r * p) 536870912 is above 268435456'],
    [`$argon2i$v=16$m=262145,t=1,p=1$c29tZXNhbHQ$${tag}`, 'argon2 memory in KiB 262145 is above 262144'],
    [`$argon2id$v=16$m=262144,t=5,p=1$c29tZXNhbHQ$${tag}`, 'argon2 memory times passes 1310720 is above 1048576'],
    [`$argon2id$v=19$m=1024,t=1,p=17$c29tZXNhbHQ$${tag}`, 'argon2 parallelism 17 is above 16'],
    [`$6$rounds=1000001$salt$${'.'.repeat(86)}`, 'SHA-crypt rounds 1000001 is above 1000000']
  ]
  const raised = { bcryptCost: 31, pbkdf2Work: 1e12, scryptBytes: 1e18, argon2MemoryKib: 1e12, argon2Work: 1e12, argon2Lanes: 255, shaCryptRounds: 1e12 }
  for (const [text, refused] of costly) {
    t.same(acceptHash(text), { refused })
    t.same(acceptHash(text, raised), { refused })
  }
  t.same(acceptHash(`$2b$12$${bcryptRest}`, { bcryptCost: 11 }), { refused: 'bcrypt cost 12 is above 11' })
  t.same(acceptHash(`$2b$11$${bcryptRest}`, { bcryptCost: 11 }), { hash: `$2b$11$${bcryptRest}` })
  const ours = `$argon2id$v=19$m=1048576,t=3,p=1$c29tZXNhbHQ$${tag}`
  t.same(acceptHash(ours), { refused: 'argon2 memory in KiB 1048576 is above 262144' })
  t.same(acceptHash(ours, boundsWith({ memoryKib: 1048576, timeCost: 3, parallelism: 1 })), { hash: ours }, 'our own parameters may be higher')
})

t.test('what is not of the system that it is said to be from is refused in words', async t => {
  const project = { signerKey: `${tag}=`, saltSeparator: 'Bw==', rounds: 8, memCost: 14 }
  const account = { hash: `${tag}=`, salt: 'c2FsdA==' }
  const keycloak = (data: object, secret: object = { value: `${tag}=`, salt: 'c2FsdA==' }) =>
    fromKeycloak({ credentialData: JSON.stringify(data), secretData: JSON.stringify(secret) })
  const refused: Array<[Acceptance, RegExp]> = [
    [fromDjango('!unusable'), /unusable/],
    [fromDjango('md5$salt$5f4dcc3b5aa765d61d8327deb882cf99'), /another hasher of Django/],
    [fromDjango(`pbkdf2_sha256$9000000$salt$${tag}=`), /iterations times blocks 9000000 is above/],
    [fromDjango(`scrypt$15000$salt$8$1$${tag}=`), /another hasher of Django/],
    [fromDjango('argon2$x'), /no scheme/],
    [fromBetterAuth('abc:def'), /32 hex digits/],
    [fromFirebase(account, { ...project, signerKey: '***' }), /signer key is not base64/],
    [fromFirebase(account, { ...project, saltSeparator: '***' }), /separator is not base64/],
    [fromFirebase({ ...account, salt: '***' }, project), /its salt is not base64/],
    [fromFirebase({ ...account, hash: 'c2FsdA==' }, project), /4 bytes and the signer key 32/],
    [fromFirebase(account, { ...project, memCost: 1.5 }), /not well-formed/],
    [fromFirebase(account, { ...project, memCost: 20 }), /scrypt memory/],
    [fromKeycloak({ credentialData: '{', secretData: '{' }), /secretData is not JSON/],
    [keycloak({ algorithm: 'pbkdf2' }), /credentialData is not JSON/],
    [keycloak({ algorithm: 'pbkdf2', hashIterations: 1 }, { value: tag }), /secretData is not JSON/],
    [keycloak({ algorithm: 'md5', hashIterations: 1 }), /none of pbkdf2/],
    [keycloak({ algorithm: 'argon2', hashIterations: 5, additionalParameters: { type: ['id'] } }), /not well-formed/]
  ]
  for (const [acceptance, message] of refused) t.match(refusalOf(acceptance), message)
  t.notOk(refused.some(([acceptance]) => JSON.stringify(acceptance).includes(tag)), 'no refusal quotes a hash')
})

t.test('whatever the text, nothing throws, and what is accepted can be read', async () => {
  const mutated = fc.tuple(fc.constantFrom(...texts), fc.nat(), fc.string({ maxLength: 3 }), fc.nat(3))
    .map(([text, at, insert, cut]) => text.slice(0, at % text.length) + insert + text.slice(at % text.length + cut))
  const text = fc.oneof(fc.string({ maxLength: 200, unit: 'binary' }), mutated)
  fc.assert(fc.property(text, text, fc.double(), (one, two, number) => {
    parseForeignHash(one)
    const accepted = [
      acceptHash(one), fromDjango(one), fromBetterAuth(one), fromKeycloak({ credentialData: one, secretData: two }),
      fromFirebase({ hash: one, salt: two }, { signerKey: one, saltSeparator: two, rounds: number, memCost: number })
    ]
    return accepted.every(each => 'refused' in each || (parseForeignHash(each.hash) !== undefined && hashOf(acceptHash(each.hash)) === each.hash))
  }), { numRuns: 500 })
})

t.test('hashes of other systems wait for one another, and not ours for them', async t => {
  const ours = await hasher.hash('a password')
  const order: string[] = []
  const check = async (whose: string, hash: string) => {
    await hasher.verify(hash, 'a password')
    order.push(whose)
  }
  await Promise.all([...Array.from({ length: 3 }, async () => await check('theirs', `$2b$10$${bcryptRest}`)), check('ours', ours)])
  t.equal(order[0], 'ours')
})

t.test('whatever is accepted can be computed', async () => {
  const bytes = (minLength: number, maxLength: number) => fc.uint8Array({ minLength, maxLength }).map(array => Buffer.from(array).toString('base64').replaceAll('=', ''))
  const small = fc.integer({ min: 1, max: 5 })
  const memory = fc.integer({ min: 8, max: 64 })
  const text = fc.oneof(
    fc.tuple(fc.constantFrom('', '-nfkc'), fc.integer({ min: 1, max: 18 }), small, small, bytes(0, 1024), bytes(12, 512))
      .map(([kind, ln, r, p, salt, key]) => `$scrypt${kind}$ln=${r === 1 ? ln : Math.min(ln, 6)},r=${r},p=${r === 1 ? 1 : p}$${salt}$${key}`),
    fc.tuple(fc.constantFrom('sha1', 'sha256', 'sha512'), small, bytes(0, 1024), bytes(12, 512)).map(([digest, i, salt, key]) => `$pbkdf2-${digest}$i=${i}$${salt}$${key}`),
    fc.tuple(fc.constantFrom('id', 'i', 'd'), fc.constantFrom(16, 19), memory, small, small, bytes(8, 128), bytes(12, 512))
      .map(([kind, version, m, t, p, salt, key]) => `$argon2${kind}$v=${version}$m=${8 * m},t=${t},p=${p}$${salt}$${key}`)
  )
  await fc.assert(fc.asyncProperty(text, fc.string({ unit: 'grapheme' }), async (hash, password) =>
    'refused' in acceptHash(hash) || await hasher.verify(hash, password) === false), { numRuns: 200 })
})

import fc from 'fast-check'
import t from 'tap'
import { CodedError } from '../../../src/errors.ts'
import { loadHashEngine, type HashEngine } from '../../../src/passwords/engines.ts'
import { createPasswordHasher } from '../../../src/passwords/hasher.ts'
import { createPasswords } from '../../../src/passwords/passwords.ts'
import { parseHash } from '../../../src/passwords/phc.ts'

const engine = await loadHashEngine('auto')
const cheap = { memoryKib: 64, timeCost: 1, parallelism: 1 }
const argon2i = '$argon2i$v=19$m=64,t=1,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4'

/** The real engine, with notes of what it was asked and how much at once. */
function observe (engine: HashEngine) {
  const seen = { hashes: 0, verified: [] as string[], active: 0, most: 0 }
  async function noting<T> (work: () => Promise<T>): Promise<T> {
    seen.most = Math.max(seen.most, ++seen.active)
    try {
      return await work()
    } finally {
      seen.active--
    }
  }
  const observed: HashEngine = {
    name: engine.name,
    hash: (password, parameters) => noting(() => { seen.hashes++; return engine.hash(password, parameters) }),
    verify: (phc, password) => noting(() => { seen.verified.push(phc); return engine.verify(phc, password) })
  }
  return { seen, observed }
}

t.test('a password verifies against its own hash and nothing else does', async t => {
  const hasher = createPasswordHasher({ engine, ...cheap })
  const hash = await hasher.hash('correct horse battery staple')
  t.equal(await hasher.verify(hash, 'correct horse battery staple'), true)
  t.equal(await hasher.verify(hash, 'correct horse battery stapl'), false)
  t.equal(await hasher.verify(hash, ' correct horse battery staple'), false, 'nothing is trimmed')
  t.equal(hasher.engineName, engine.name)
})

t.test('spellings that are equal in NFC are one password', async t => {
  const hasher = createPasswordHasher({ engine, ...cheap })
  const accented = fc.string({ unit: fc.constantFrom('é', 'å', 'ö', 'ﬁ', '한', 'ệ', 'A', '🙂'), minLength: 1, maxLength: 20 })
  await fc.assert(fc.asyncProperty(fc.oneof(accented, fc.string({ unit: 'grapheme' })), async password => {
    const hash = await hasher.hash(password.normalize('NFD'))
    return await hasher.verify(hash, password.normalize('NFC')) && await hasher.verify(hash, password)
  }), { numRuns: 50 })
  t.equal(await hasher.verify(await hasher.hash('ﬁ'), 'fi'), false, 'compatibility forms stay apart')
})

t.test('no hash and an unreadable one cost one verification with the current parameters, and are false', async t => {
  const { seen, observed } = observe(engine)
  const hasher = createPasswordHasher({ engine: observed, ...cheap, timeCost: 3 })
  const bcrypt = (cost: number) => `$2b$${cost}$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy`
  const unknown = [undefined, null, '', 'garbage', `${bcrypt(10)}x`, bcrypt(16), '$6$rounds=999999999$saltsalt$' + '.'.repeat(86)]
  for (const hash of unknown) t.equal(await hasher.verify(hash, 'any password'), false)
  t.equal(seen.verified.length, unknown.length)
  t.equal(new Set(seen.verified).size, 1, 'one decoy serves all')
  t.same(parseHash(seen.verified[0] ?? ''), { algorithm: 'argon2id', ...cheap, timeCost: 3 })
  const real = await hasher.hash('any password')
  t.equal(real.length, seen.verified[0]?.length, 'salt and tag are as long as those of a real hash')
})

t.test('needsRehash is true unless algorithm, version and all parameters are the configured ones', async t => {
  const hash = await createPasswordHasher({ engine, ...cheap }).hash('password')
  const needs = (change: object) => createPasswordHasher({ engine, ...cheap, ...change }).needsRehash(hash)
  t.equal(needs({}), false)
  t.equal(needs({ memoryKib: 128 }), true)
  t.equal(needs({ memoryKib: 32 }), true)
  t.equal(needs({ timeCost: 2 }), true)
  t.equal(needs({ parallelism: 2 }), true)
  const hasher = createPasswordHasher({ engine, ...cheap })
  for (const other of [argon2i, 'garbage', '', hash.replace('v=19', 'v=16')]) t.equal(hasher.needsRehash(other), true)
})

t.test('hashes of other engines and of earlier parameters still verify', async t => {
  const earlier = createPasswordHasher({ engine: await loadHashEngine('argon2'), ...cheap })
  const hash = await earlier.hash('password')
  t.equal(await createPasswordHasher({ engine, ...cheap, memoryKib: 256, timeCost: 2 }).verify(hash, 'password'), true)
})

t.test('a storm of 200: two at once, ten waiting, the rest told at once that they are too many', async t => {
  const { seen, observed } = observe(engine)
  const hasher = createPasswordHasher({ engine: observed, memoryKib: 1024, timeCost: 1, concurrency: 2, queue: 10, retryAfterSeconds: 0.2 })
  const hash = await hasher.hash('right')
  const refusedAt: number[] = []
  const results = await Promise.allSettled(Array.from({ length: 200 }, async (_, i) => {
    try {
      return await hasher.verify(i % 2 === 0 ? hash : null, 'right') === (i % 2 === 0)
    } catch (error) {
      refusedAt.push(seen.verified.length)
      throw error
    }
  }))
  const refusals = results.flatMap(result => result.status === 'rejected' ? [result.reason] : [])
  t.equal(refusals.length, 188)
  t.ok(refusals.every(error => error instanceof CodedError && error.code === 'OVERLOADED' && error.retryAfterSeconds === 1))
  t.ok(refusedAt.every(begun => begun === 2), 'refused while the first two were still being computed')
  t.equal(results.filter(result => result.status === 'fulfilled' && result.value).length, 12)
  t.equal(seen.verified.length, 12)
  t.equal(seen.most, 2)
  t.same(hasher.stats(), { active: 0, queued: 0, concurrency: 2, queue: 10, total: 13 })
})

t.test('hashing and verifying share one bound', async t => {
  const hasher = createPasswordHasher({ engine, ...cheap, concurrency: 1, queue: 0 })
  const hashing = hasher.hash('password')
  await t.rejects(hasher.verify(null, 'password'), { code: 'OVERLOADED', retryAfterSeconds: 1 })
  t.equal(await hasher.verify(await hashing, 'password'), true)
})

t.test('a failure of the engine is passed on as it is', async t => {
  const hasher = createPasswordHasher({ engine, memoryKib: 1 })
  await t.rejects(hasher.hash('password'), /memory/i)
  t.equal(hasher.stats().active, 0)
})

t.test('the bound stays below the libuv pool', async t => {
  t.throws(() => createPasswordHasher({ engine, concurrency: 4 }), /concurrency \(4\) must be below the size of the libuv thread pool \(4\)/)
  t.throws(() => createPasswordHasher({ engine, threadPoolSize: 1 }), RangeError)
  t.equal(createPasswordHasher({ engine, concurrency: 4, threadPoolSize: 8 }).stats().concurrency, 4)
  const { concurrency } = createPasswordHasher({ engine }).stats()
  t.ok(concurrency >= 1 && concurrency <= 3)
})

t.test('createPasswords defaults to OWASP parameters and brings hasher and policy together', async t => {
  const passwords = await createPasswords()
  t.teardown(passwords.close)
  const hash = await passwords.hash('correct horse battery staple')
  t.match(hash, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
  t.equal(await passwords.verify(hash, 'correct horse battery staple'), true)
  t.equal(passwords.needsRehash(hash), false)
  t.match(await passwords.check('short', '/body/password'), [{ code: 'too_short' }])
})

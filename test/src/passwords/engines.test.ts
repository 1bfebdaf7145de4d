import fc from 'fast-check'
import t from 'tap'
import { loadHashEngine } from '../../../src/passwords/engines.ts'
import { formatHash, parseHash } from '../../../src/passwords/phc.ts'

const cheap = { memoryKib: 64, timeCost: 1, parallelism: 1 }
const reference = await loadHashEngine('argon2')
const faster = await loadHashEngine('node-rs')
const engines = [reference, faster]

// From the reference implementation's test suite (test.c), version 19: password "password", salt "somesalt".
const vectors = [
  '$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4',
  '$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc',
  '$argon2i$v=19$m=256,t=2,p=1$c29tZXNhbHQ$iekCn0Y3spW+sCcFanM2xBT63UP2sghkUoHLIUpWRS8'
]

const unreadable = [
  '',
  'x',
  '$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy',
  '$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ',
  '$argon2id$v=16$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4',
  '$argon2id$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4',
  '$argon2id$v=19$t=2,m=256,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4',
  '$argon2id$v=19$m=7,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4',
  '$argon2id$v=19$m=256,t=0,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4',
  '$argon2id$v=19$m=4294967295,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4',
  '$argon2id$v=19$m=256,t=4294967295,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4',
  '$argon2id$v=19$m=65536,t=1,p=255$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4',
  '$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHR$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4',
  '$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ=$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4',
  `${vectors[0]}\n`
]

for (const engine of engines) {
  t.test(`${engine.name} reads the vectors of the reference implementation`, async t => {
    for (const vector of vectors) {
      t.equal(await engine.verify(vector, 'password'), true, vector)
      t.equal(await engine.verify(vector, 'Password'), false)
    }
  })

  t.test(`${engine.name} makes argon2id strings with a new salt each time`, async t => {
    const hashes = await Promise.all([engine.hash('pw', cheap), engine.hash('pw', cheap)])
    for (const hash of hashes) {
      t.match(hash, /^\$argon2id\$v=19\$m=64,t=1,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
      t.same(parseHash(hash), { algorithm: 'argon2id', ...cheap })
    }
    t.not(hashes[0], hashes[1])
  })

  t.test(`${engine.name} answers false to strings that it cannot read, and to absurd costs`, async t => {
    for (const phc of unreadable) t.equal(await engine.verify(phc, 'password'), false, phc)
    await fc.assert(fc.asyncProperty(fc.string({ maxLength: 120 }), async text => await engine.verify(text, 'password') === false))
  })

  t.test(`${engine.name} rejects what cannot be computed, without a crash`, async t => {
    await t.rejects(engine.hash('pw', { memoryKib: 1, timeCost: 1, parallelism: 1 }), /memory/i)
  })
}

t.test('what one engine hashes the other verifies, whatever the text', async () => {
  await fc.assert(fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 40 }), async password => {
    for (const [maker, checker] of [[reference, faster], [faster, reference]] as const) {
      const hash = await maker.hash(password, cheap)
      if (await checker.verify(hash, password) !== true || await checker.verify(hash, `${password}.`)) return false
    }
    return true
  }), { numRuns: 30 })
})

t.test('a string made of parts reads back as them', async t => {
  const phc = formatHash({ memoryKib: 19456, timeCost: 2, parallelism: 1 }, Buffer.alloc(16, 1), Buffer.alloc(32, 2))
  t.same(parseHash(phc), { algorithm: 'argon2id', memoryKib: 19456, timeCost: 2, parallelism: 1 })
})

t.test('auto takes the faster engine where it loads and the reference otherwise', async t => {
  t.equal((await loadHashEngine('auto')).name, 'node-rs')
  t.equal((await loadHashEngine('auto', 'auth-serve-no-such-package')).name, 'argon2')
  t.equal((await loadHashEngine('auto', 'node:path')).name, 'argon2', 'a package of another shape does not count')
})

t.test('an engine that is demanded and does not load is a clear error', async t => {
  await t.rejects(loadHashEngine('node-rs', 'auth-serve-no-such-package'), {
    message: /node-rs was demanded, but auth-serve-no-such-package does not load/,
    cause: { message: /Cannot find package/ }
  })
})

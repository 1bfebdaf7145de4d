import fc from 'fast-check'
import t from 'tap'
import { createScrubber, safeText, scrubLine, scrubText, secretPatterns } from '../../../src/logging/scrub.ts'

const jwt = 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl'

/** Texts with a secret, and what is left of them. */
const secrets: Array<[string, string]> = [
  [`token ${jwt}!`, 'token [redacted]!'],
  [`x${jwt.slice(0, 30)}`, 'x[redacted]'],
  ['Authorization: Bearer abc.DEF-1', 'Authorization: [redacted]'],
  ['bearer  q', '[redacted]'],
  ['postgres://ada:p4ss@word@db.example:5432/x', 'postgres://[redacted]@db.example:5432/x'],
  ['redis://:p"4\\s@h', 'redis://[redacted]@h'],
  ['hash $argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA.', 'hash [redacted]'],
  ['$2b$10$abcdefghijklmnopqrstuv', '[redacted]'],
  ['asr_1.k.0192-aa.7.S0meVeryL0ng', '[redacted]'],
  ['-----BEGIN PRIVATE KEY-----\nMIGH\nAgEA==\n-----END PRIVATE KEY-----\n', '[redacted]'],
  ['Failed query: select "id" from "users" where "email" = $1\nparams: ada@example.com', '[redacted]'],
  ['\u000eeyJhbGciOiJub25lIn0', '\u000e[redacted]']
]
const harmless = ['', 'request completed', 'see https://example.com/a?b=c@d', 'mail ada@example.com', '$1, $2', 'eyJ', 'asr_short', '\u000eyJhbGciOiJub25lIn0', '\\eyJ']

t.test('what looks like a secret is replaced and the rest stays', async t => {
  for (const [text, left] of secrets) {
    t.equal(scrubText(text), left, text)
    t.same(JSON.parse(scrubLine(JSON.stringify({ msg: text, n: 1 }))).n, 1)
  }
  for (const text of harmless) t.equal(scrubText(text), text)
})

t.test('text is cut after it was scrubbed', async t => {
  t.equal(safeText(`${'x'.repeat(9)}${jwt}`, 12), `${'x'.repeat(9)}[re…`)
  t.equal(safeText('abc', 3), 'abc')
})

t.test('further patterns can be added', async t => {
  const scrub = createScrubber([...secretPatterns, /sk_[a-z]+/])
  t.equal(scrub(JSON.stringify({ a: 'sk_abc', b: jwt })), '{"a":"[redacted]","b":"[redacted]"}')
})

const fragment = fc.oneof(
  fc.constantFrom(...secrets.map(([text]) => text), ...harmless, '\\', '"', '\u0000', '\b', '\n', '\ud800', 'bearer ', '://', '@', 'u000', 'eyJ', '-----BEGIN PRIVATE KEY-----', 'Failed query: '),
  fc.string({ unit: 'binary', maxLength: 12 })
)
const text = fc.array(fragment, { maxLength: 8 }).map(parts => parts.join(''))

t.test('a scrubbed line is JSON of the same structure, without the secret', async t => {
  fc.assert(fc.property(fc.dictionary(fc.constantFrom('a', 'b', 'msg'), fc.oneof(text, fc.array(text), fc.integer(), fc.constant(null))), text, text, (object, before, after) => {
    const line = `${JSON.stringify({ ...object, canary: `${before} ${jwt} ${after}` })}\n`
    const scrubbed = scrubLine(line)
    const parsed: unknown = JSON.parse(scrubbed)
    t.same(Object.keys(Object(parsed)), [...Object.keys(object), 'canary'])
    if (scrubbed.includes(jwt) || !scrubbed.endsWith('}\n')) return false
    return Object.entries(object).every(([name, value]) => typeof value === 'string' || Array.isArray(value) || Object(parsed)[name] === value)
  }), { numRuns: 500 })
})

t.test('scrubbing takes linear time', async t => {
  const units = ['eyJ', 'eyJ.', 'eyJaaaaaaaa.', 'Bearer ', 'Bearer  a', ' ', '://', '://a', '://\\"', 'a@', '$argon2', '$', 'asr_', '-----BEGIN ', '-----BEGIN A', '-----BEGIN PRIVATE KEY-----', '-', '\\n', '\\\\', 'Failed query: ', '\\u000e', 'a']
  for (const unit of units) {
    const line = `{"msg":"${unit.repeat(Math.floor(1_000_000 / unit.length))}"}`
    const started = performance.now()
    JSON.parse(scrubLine(line))
    t.ok(performance.now() - started < 5000, unit)
  }
})

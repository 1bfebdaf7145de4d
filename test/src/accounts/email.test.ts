import fc from 'fast-check'
import t from 'tap'
import { canonicalEmail } from '../../../src/accounts/email.ts'
import { canonicalUsername } from '../../../src/accounts/username.ts'

const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme' }),
  // Every code unit, so lone surrogates too.
  fc.array(fc.integer({ min: 0, max: 0xFFFF })).map(units => String.fromCharCode(...units))
)

t.test('an address is compared in lower case, NFC and an ASCII domain', async t => {
  const forms: Array<[string, string]> = [
    ['ada@example.com', 'ada@example.com'],
    ['Ada.Lovelace+tag@EXAMPLE.com', 'ada.lovelace+tag@example.com'],
    ["o'brien!#$%&*/=?^_`{|}~-@a-b.example", "o'brien!#$%&*/=?^_`{|}~-@a-b.example"],
    ['1@2.example', '1@2.example'],
    ['ada@Bücher.DE', 'ada@xn--bcher-kva.de'],
    ['ada@xn--bcher-kva.de', 'ada@xn--bcher-kva.de'],
    ['Bücher@example.com', 'bücher@example.com'],
    ['Bu\u0308cher@example.com', 'bücher@example.com'],
    ['\u212Aelvin@example.com', 'kelvin@example.com'],
    ['чебурашка@пример.рф', 'чебурашка@xn--e1afmkfd.xn--p1ai'],
    [`${'a'.repeat(64)}@${'b'.repeat(63)}.com`, `${'a'.repeat(64)}@${'b'.repeat(63)}.com`]
  ]
  for (const [written, canonical] of forms) t.equal(canonicalEmail(written), canonical, JSON.stringify(written))
})

t.test('what is no address has no canonical form', async t => {
  const domain = `${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(57)}.com`
  t.equal(canonicalEmail(`${'a'.repeat(64)}@${domain}`)?.length, 254, '254 octets are an address')
  const refused = [
    '', '@', 'ada', 'ada@', '@example.com', 'ada@localhost', 'ada@@example.com', 'a@b@example.com',
    '.ada@example.com', 'ada.@example.com', 'a..b@example.com', '"ada"@example.com', '"a b"@example.com', 'a b@example.com',
    'ada@1.2.3', 'ada@127.0.0.1', 'ada@[127.0.0.1]', 'ada@[::1]', 'ada@0x7f.1', 'ada@example.1', 'ada@example.0x1',
    'ada@a.com/b', 'ada@a.com:80', 'ada@a.com?b', 'ada@a.com#b', 'ada@a%2ecom', 'ada@a.com\\b', 'ada@a_b.com',
    'ada@-a.com', 'ada@a-.com', 'ada@a..com', 'ada@.a.com', 'ada@a.com.', 'ada@xn--a.com', `ada@${'b'.repeat(64)}.com`,
    ' ada@example.com', 'ada@example.com ', 'ada@example.com\n', 'ada\r\nBcc: eve@example.com@example.com', 'ada\0@example.com',
    'ada\t@example.com', 'ada\u00A0@example.com', 'ada\u200B@example.com', 'ada\u202E@example.com', 'ada\u3164@example.com',
    'ada\uFE0F@example.com', 'ada\uD800@example.com', 'ada@exa\uDC00mple.com', 'ada@ex\u00ADample.com', 'ada<eve@example.com', 'ada,eve@example.com',
    '\uFF41da@example.com', 'of\uFB01ce@example.com', 'ada\uFF20example.com', 'ada@\uFF45xample.com', 'ada@example\u3002com', 'a\uFF0Eda@example.com',
    `${'a'.repeat(65)}@example.com`, `${'ä'.repeat(33)}@example.com`, `${'a'.repeat(64)}@b${domain}`, `${'ä'.repeat(32)}@${'ä'.repeat(200)}.com`
  ]
  for (const value of refused) t.equal(canonicalEmail(value), undefined, JSON.stringify(value))
})

t.test('no text makes it throw, and a canonical form is its own', async t => {
  const address = fc.tuple(anyText, fc.constantFrom('@', ''), anyText, fc.constantFrom('.com', '.рф', '')).map(parts => parts.join(''))
  const isStable = (value: string) => {
    const canonical = canonicalEmail(value)
    return canonical === undefined || (canonicalEmail(canonical) === canonical && /^[^@\s]+@[a-z0-9.-]+$/.test(canonical))
  }
  fc.assert(fc.property(fc.oneof(anyText, address), isStable), { numRuns: 500 })
  fc.assert(fc.property(fc.emailAddress(), isStable), { numRuns: 200 })
  const letters = Array.from({ length: 0x10000 }, (_, code) => String.fromCharCode(code)).filter(letter => /\p{L}/u.test(letter))
  t.strictSame(letters.filter(letter => !isStable(`a${letter}b@x${letter}y.com`)), [], 'for every letter of the basic plane')
})

t.test('spellings that differ in case only are one address and one name', async t => {
  const name = fc.stringMatching(/^[a-z0-9]{1,20}$/)
  const mixed = fc.tuple(name, fc.array(fc.boolean(), { minLength: 20, maxLength: 20 }))
    .map(([text, upper]) => ({ text, variant: [...text].map((letter, i) => upper[i] === true ? letter.toUpperCase() : letter).join('') }))
  fc.assert(fc.property(mixed, ({ text, variant }) => {
    t.ok(canonicalEmail(`${variant}@x${variant}.com`) === `${text}@x${text}.com`)
    t.ok(canonicalUsername(variant) === text)
  }), { numRuns: 50 })
})

t.test('a username keeps every letter but A..Z', async t => {
  t.equal(canonicalUsername('Ada.L_O-9'), 'ada.l_o-9')
  t.equal(canonicalUsername('\u212A\u0130Ä'), '\u212A\u0130Ä')
  fc.assert(fc.property(anyText, value => canonicalUsername(canonicalUsername(value)) === canonicalUsername(value)), { numRuns: 200 })
})

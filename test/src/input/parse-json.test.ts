import fc from 'fast-check'
import t from 'tap'
import { CodedError } from '../../../src/errors.ts'
import { isJsonMediaType } from '../../../src/input/media-type.ts'
import { parseStrictJson } from '../../../src/input/parse-json.ts'

const limits = { maxDepth: 32 }
const parse = (text: string | Buffer) => parseStrictJson(Buffer.from(text), limits)

function refusal (text: string | Buffer): string {
  try {
    parse(text)
    return 'accepted'
  } catch (error) {
    return error instanceof CodedError && error.code === 'MALFORMED_REQUEST' && error.cause === undefined ? error.message : `unexpected: ${String(error)}`
  }
}

t.test('JSON is read as JSON.parse reads it', async t => {
  for (const text of ['{}', '[]', 'null', '1', '"a"', ' {"a":[{"b":"\\u0000"},{"b":null}]} ', '{"a:b":"c:{[","\\"":"\\\\"}', '{"prototype":{},"constructor":1}', '{"":{"":""}}']) {
    t.strictSame(parse(text), JSON.parse(text), text)
  }
  t.strictSame(parse('\uFEFF{"a":1}'), { a: 1 }, 'one byte order mark is passed over (RFC 8259, 8.1)')
  fc.assert(fc.property(fc.json({ maxDepth: 8 }), text => {
    const expected: unknown = JSON.parse(text)
    if (!/__proto__|constructor/.test(text)) t.ok(JSON.stringify(parse(text)) === JSON.stringify(expected))
  }), { numRuns: 200 })
})

t.test('what is not JSON in UTF-8 is malformed, and is not quoted', async t => {
  t.match(refusal(''), /empty/)
  for (const text of ['{', 'hunter2', '{"hunter2"}', "{'a':1}", '{"a":1,}', '[1]]', '{"a":1}{"b":2}', '"', '"\\', '\\', '\uFEFF', '\uFEFF\uFEFF{}', '01', 'NaN', '"\u0001"', '  ']) {
    t.match(refusal(text), /not valid JSON/, JSON.stringify(text))
    t.notMatch(refusal(text), 'hunter2')
  }
  for (const bytes of [[0x22, 0xFF, 0x22], [0x22, 0xC0, 0x80, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22], [0xFE, 0xFF, 0, 0x31]]) {
    t.match(refusal(Buffer.from(bytes)), /UTF-8/, bytes.join(' '))
  }
  t.match(refusal(Buffer.from('{"a":1}', 'utf16le')), /not valid JSON/)
  t.strictSame(parse('{"a":1}'), { a: 1 }, 'and the next body is read as ever')
})

t.test('a key that comes twice is malformed at any level and in any spelling', async t => {
  for (const text of ['{"a":1,"a":1}', '{"a":1,"\\u0061":2}', '[{"b":{"a":[],"c":1,"a":{}}}]', '{"":1,"":2}', '{"a":{"x":1},"a":{"y":1}}', '{"\\n":1,"\\u000a":2}', '{"1":1,"1":2}']) {
    t.match(refusal(text), /same key/, text)
  }
  t.strictSame(parse('[{"a":1},{"a":2}]'), [{ a: 1 }, { a: 2 }], 'the same key in two objects is none')
  t.equal(refusal('{"\u00e9":1,"e\u0301":2}'), 'accepted', 'keys are compared as they are, not in NFC')
  fc.assert(fc.property(fc.uniqueArray(fc.string({ unit: 'binary' }), { minLength: 1 }).filter(keys => !keys.includes('__proto__')), fc.nat(), (keys, pick) => {
    const members = keys.map(key => `${JSON.stringify(key)}:0`)
    t.equal(refusal(`{${members.join(',')}}`), 'accepted')
    const again = [...keys[pick % keys.length] ?? ''].map(letter => letter.length === 1 ? `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}` : letter).join('')
    t.match(refusal(`{${members.join(',')},"${again}":1}`), /same key/)
  }), { numRuns: 50 })
})

t.test('keys that reach a prototype are malformed', async t => {
  for (const text of ['{"__proto__":{"a":1}}', '{"__proto__":null}', '{"\\u005f_proto__":1}', '[{"a":{"__proto__" : 1}}]', '{"constructor":{"prototype":{"a":1}}}', '{"a":{"c\\u006fnstructor":{"prototype":1}}}']) {
    t.match(refusal(text), /forbidden key/, text)
  }
  t.equal(Reflect.get({}, 'a'), undefined)
  t.strictSame(parse('{"a":"__proto__"}'), { a: '__proto__' }, 'as a value it is text')
})

t.test('depth is bounded, and no size of body takes long', async t => {
  const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels)
  t.equal(refusal(nested(32)), 'accepted')
  t.match(refusal(nested(33)), /at most 32 levels/)
  t.equal(refusal(`"${nested(33)}"`), 'accepted', 'brackets in a string are text')
  t.equal(refusal(`[${'[],{},'.repeat(100)}1]`), 'accepted', 'brackets beside one another are no depth')
  const mebibyte = 2 ** 20
  const bodies: Array<[string, RegExp]> = [
    [nested(100_000), /levels/],
    ['{"a":'.repeat(100_000), /levels/],
    [`{${Array.from({ length: 90_000 }, (_, i) => `"k${i}":1`).join()}}`, /accepted/],
    [`{${Array.from({ length: 90_000 }, (_, i) => `"${i * 7919}":1`).join()}}`, /accepted/],
    [`{${'"a":1,'.repeat(mebibyte / 6)}"a":1}`, /same key/],
    [`[${'{},'.repeat(mebibyte / 3)}1]`, /accepted/],
    [`"${'\\\\'.repeat(mebibyte / 2)}"`, /accepted/],
    [`"${'\\u0061'.repeat(mebibyte / 6)}"`, /accepted/],
    [`"${'\\'.repeat(mebibyte)}`, /not valid JSON/],
    ['"'.repeat(mebibyte), /not valid JSON/],
    [`["__proto__"${' '.repeat(mebibyte)}]`, /accepted/]
  ]
  for (const [body, outcome] of bodies) {
    const started = performance.now()
    t.match(refusal(body), outcome, body.slice(0, 20))
    t.ok(performance.now() - started < 2000, 'within a generous bound that quadratic work would break')
  }
})

t.test('a media type is JSON in UTF-8 or not', async t => {
  for (const type of ['application/json', 'Application/JSON', 'application/json; charset=utf-8', 'application/json;charset="UTF-8"', 'application/json ; profile="a;charset=x"', 'application/json;', 'application/merge-patch+json', 'application/vnd.a.b+json; v=1']) {
    t.ok(isJsonMediaType(type), type)
  }
  for (const type of ['', 'json', 'text/json', 'text/plain', 'application/jsonp', 'application/+json', 'application/json/x', 'application/json, text/plain', 'application/json; charset=utf-16', 'application/json; charset=utf8', 'application/json; charset = utf-16', 'application/json; charset', 'application/json; charset=utf-8; charset=utf-7', 'application/json; charset="utf-8', 'application/json;;=', 'application/json\u00A0', 'multipart/form-data; boundary=json']) {
    t.notOk(isJsonMediaType(type), type)
  }
})

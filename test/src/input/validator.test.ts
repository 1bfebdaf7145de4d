import { Type, type TSchema } from '@sinclair/typebox'
import fc from 'fast-check'
import t from 'tap'
import type { FieldError } from '../../../src/errors.ts'
import { toFieldErrors, type InputPart } from '../../../src/input/field-errors.ts'
import { isDateTime, isText } from '../../../src/input/formats.ts'
import { createValidatorCompiler } from '../../../src/input/validator.ts'
import { StrictObject, exactlyOneOf } from '../../../src/schemas/strict.ts'
import { DateTime, Email, Password, Secret, Text, Username, Uuid } from '../../../src/schemas/text.ts'

const compile = createValidatorCompiler({})

/** The field errors of one value, `[]` when it is fine. */
function check (schema: TSchema, value: unknown, httpPart: InputPart = 'body', shared?: Record<string, unknown>): FieldError[] {
  const verdict = (shared === undefined ? compile : createValidatorCompiler(shared))({ schema, httpPart })(value)
  return verdict === true ? [] : verdict.error.errors ?? []
}
const codes = (errors: FieldError[]) => errors.map(({ path, code }) => `${path} ${code}`).sort()

t.test('text refuses NUL and lone surrogates wherever it is taken', async t => {
  const schema = StrictObject({ text: Type.Optional(Text()), secret: Type.Optional(Secret()), password: Type.Optional(Password()) })
  for (const name of ['text', 'secret', 'password']) {
    for (const bad of ['\0', 'a\0b', '\uD800', 'a\uDC00', '\uDC00\uD800']) t.strictSame(codes(check(schema, { [name]: bad })), [`/body/${name} format`])
    for (const good of ['a', '😀', 'é\n\u202E', '\uD83D\uDE00']) t.strictSame(check(schema, { [name]: good }), [])
  }
  fc.assert(fc.property(fc.string({ unit: 'binary' }), value => isText(value) === !value.includes('\0')), { numRuns: 200 })
})

t.test('the shared text schemas have their bounds', async t => {
  const one = (schema: TSchema, value: unknown) => check(StrictObject({ v: schema }), { v: value }).map(({ code }) => code)
  t.strictSame(one(Text({ minLength: 1, maxLength: 3 }), ''), ['too_short'])
  t.strictSame(one(Text({ minLength: 1, maxLength: 3 }), '😀😀😀'), [], 'lengths count code points')
  t.strictSame(one(Text({ minLength: 1, maxLength: 3 }), 'abcd'), ['too_long'])
  for (const name of ['ada', 'a.b-c_d', '1.2', 'a'.repeat(32)]) t.strictSame(one(Username(), name), [], name)
  for (const name of ['.ab', 'ab.', 'a b', 'adä', 'a@b', 'ada\n', 'a_b_']) t.strictSame(one(Username(), name), ['pattern'], name)
  t.strictSame(one(Username(), 'ab'), ['too_short'])
  t.strictSame(one(Username(), 'a'.repeat(33)), ['too_long'])
  t.strictSame(one(Password(), ''), ['too_short'])
  t.strictSame(one(Password(), 'a'.repeat(4097)), ['too_long'])
  t.equal(Password()['x-sensitive'], true)
  t.strictSame(one(Email(), 'ada@Bücher.de'), [])
  t.strictSame(one(Email(), 'ada@localhost'), ['format'])
  t.strictSame(one(Uuid(), '01920000-0000-7000-8000-000000000001'), [])
  for (const id of ['', 'x', '01920000-0000-7000-8000-00000000000', '01920000-0000-7000-8000-000000000001\n', '{01920000-0000-7000-8000-000000000001}']) t.strictSame(one(Uuid(), id), ['format'], id)
  for (const time of ['2026-01-31T12:00:00Z', '2024-02-29T23:59:59.123456+02:00', '0001-01-01T00:00:00Z']) t.strictSame(one(DateTime(), time), [], time)
  for (const time of ['2026-01-31', '2026-02-30T00:00:00Z', '2025-02-29T00:00:00Z', '2026-13-01T00:00:00Z', '2026-00-01T00:00:00Z', '2026-01-00T00:00:00Z', '0000-01-01T00:00:00Z', '2026-01-01T24:00:00Z', '2026-01-01T23:59:60Z', '2026-01-01T00:00:00', '2026-01-01T00:00:00+24:00', '+002026-01-01T00:00:00Z']) t.strictSame(one(DateTime(), time), ['format'], time)
  fc.assert(fc.property(fc.date({ min: new Date('0001-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true }), date => isDateTime(date.toISOString())), { numRuns: 200 })
})

t.test('a body is taken as it is: nothing coerced, filled in or dropped', async t => {
  const schema = StrictObject({ n: Type.Optional(Type.Integer()), b: Type.Optional(Type.Boolean({ default: true })), s: Type.Optional(Text()) })
  const body = { n: 1 }
  t.strictSame(check(schema, body), [])
  t.strictSame(body, { n: 1 })
  t.strictSame(codes(check(schema, { n: '1', b: 'true', s: 1, x: 1 })), ['/body/b type', '/body/n type', '/body/s type', '/body/x unknown'])
  t.strictSame(codes(check(schema, { n: null, s: ['a'] })), ['/body/n type', '/body/s type'])
})

t.test('a query reads declared numbers and booleans from one spelling each', async t => {
  const schema = StrictObject({
    limit: Type.Integer({ minimum: 1, maximum: 200, default: 50 }),
    ratio: Type.Optional(Type.Number()),
    active: Type.Optional(Type.Boolean()),
    text: Type.Optional(Text()),
    either: Type.Optional(Type.Union([Type.Integer(), Type.String()])),
    size: Type.Optional(Type.Union([Type.Literal(1), Type.Literal(2)])),
    page: Type.Optional(Type.Ref('Page'))
  })
  const shared = { Page: Type.Integer({ $id: 'Page' }) }
  const read = (query: Record<string, unknown>) => ({ query, errors: codes(check(schema, query, 'querystring', shared)) })
  t.strictSame(read({}), { query: { limit: 50 }, errors: [] })
  t.strictSame(read({ limit: '1', ratio: '-0.5', active: 'false', text: '5', either: '7', size: '2', page: '-3' }), {
    query: { limit: 1, ratio: -0.5, active: false, text: '5', either: '7', size: 2, page: -3 }, errors: []
  })
  for (const limit of ['', ' 1 ', '1e2', '0x10', '1.0', '01', '-0', '+1', '9007199254740993', 'true', '１', ['1'], ['1', '2'], '1\n']) t.strictSame(read({ limit }).errors, ['/query/limit type'], JSON.stringify(limit))
  for (const ratio of ['', '.5', '1.', '1e1', 'NaN', 'Infinity', '9'.repeat(400)]) t.strictSame(read({ ratio }).errors, ['/query/ratio type'], ratio)
  for (const active of ['', '1', 'TRUE', 'yes', ['true', 'true']]) t.strictSame(read({ active }).errors, ['/query/active type'], JSON.stringify(active))
  t.strictSame(read({ limit: '0' }).errors, ['/query/limit minimum'])
  t.strictSame(read({ limit: '201' }).errors, ['/query/limit maximum'])
  t.strictSame(read({ size: '3' }).errors, ['/query/size enum'])
  t.strictSame(read({ text: ['a', 'b'], nope: '1' }).errors, ['/query/nope unknown', '/query/text type'])
  t.match(check(schema, { limit: ['1', '2'] }, 'querystring', shared), [{ message: 'Must be a whole number, and only one.' }])
  t.strictSame(codes(check(StrictObject({ id: Uuid() }), { id: 'nope' }, 'params')), ['/params/id format'])
  t.strictSame(codes(check(Type.Object({ 'x-n': Type.Integer() }), { 'x-n': '1' }, 'headers')), ['/headers/x-n type'])
  t.strictSame(codes(check(Type.Any(), { anything: '1' }, 'querystring')), [])
})

t.test('exactly one of two properties is told at both of them', async t => {
  const schema = StrictObject({ email: Type.Optional(Email()), username: Type.Optional(Username()), password: Password() }, exactlyOneOf('email', 'username'))
  t.strictSame(check(schema, { email: 'ada@example.com', password: 'x' }), [])
  t.strictSame(check(schema, { username: 'ada', password: 'x' }), [])
  const told = ['/body/email', '/body/username'].map(path => ({ path, code: 'exactly_one', message: 'Give exactly one of: email, username.' }))
  t.strictSame(check(schema, { password: 'x' }), told)
  t.strictSame(check(schema, { email: 'ada@example.com', username: 'ada', password: 'x' }), told)
  t.strictSame(codes(check(schema, {})), ['/body/email exactly_one', '/body/password required', '/body/username exactly_one'])
  t.strictSame(codes(check(schema, { email: 'nope', password: 'x' })), ['/body/email format'])
})

t.test('alternatives are told by the branch that was meant', async t => {
  const nullable = (schema: TSchema) => StrictObject({ v: Type.Union([schema, Type.Null()]) })
  t.strictSame(check(nullable(Text({ minLength: 1 })), { v: null }), [])
  t.strictSame(codes(check(nullable(Text({ minLength: 1 })), { v: '' })), ['/body/v too_short'])
  t.match(check(nullable(Text()), { v: 1 }), [{ path: '/body/v', code: 'type', message: 'Must be text or null.' }])
  t.match(check(nullable(Type.Union([Type.Literal('a'), Type.Literal('b')])), { v: 'c' }), [{ path: '/body/v', code: 'enum', message: 'Must be "a" or "b".' }])
  const objects = Type.Union([StrictObject({ a: Text(), b: Text() }), StrictObject({ c: Text() })])
  t.strictSame(codes(check(objects, { a: 'x' })), ['/body/b required'])
  t.strictSame(codes(check(StrictObject({ v: Type.Unsafe({ type: 'object', oneOf: [{ minProperties: 1 }, { minProperties: 1, maxProperties: 2 }] }) }), { v: { x: 1 } })), ['/body/v invalid'])
  t.strictSame(codes(check(Type.Object({ a: Type.Optional(Text()), b: Type.Optional(Text()) }, { anyOf: [{ required: ['a'] }, { required: ['b'] }] }), {})), ['/body/a at_least_one', '/body/b at_least_one'])
})

t.test('every broken keyword has a stable code', async t => {
  const schema = StrictObject({
    few: Type.Array(Text(), { minItems: 1 }),
    many: Type.Array(Text(), { maxItems: 1, uniqueItems: true }),
    some: Type.Record(Type.String(), Text(), { minProperties: 1 }),
    less: Type.Record(Type.String(), Text(), { maxProperties: 1 }),
    above: Type.Integer({ exclusiveMinimum: 1 }),
    below: Type.Integer({ exclusiveMaximum: 1 }),
    even: Type.Integer({ multipleOf: 2 }),
    fixed: Type.Literal('a'),
    choice: Type.Unsafe({ type: 'string', enum: ['a', 'b'] }),
    code: Type.String({ pattern: '^x$' }),
    pair: Type.Object({ a: Type.Optional(Text()), b: Type.Optional(Text()) }, { dependentRequired: { a: ['b'] }, unevaluatedProperties: false })
  })
  const value = { few: [], many: ['a', 'a'], some: {}, less: { a: '1', 'b/~': 2 }, above: 1, below: 1, even: 1, fixed: 'b', choice: 'c', code: 'y', pair: { a: '1', c: 1 } }
  t.strictSame(codes(check(schema, value)), [
    '/body/above minimum', '/body/below maximum', '/body/choice enum', '/body/code pattern', '/body/even invalid', '/body/few too_short', '/body/fixed enum',
    '/body/less too_long', '/body/less/b~1~0 type', '/body/many duplicate', '/body/many too_long', '/body/pair/b required', '/body/pair/c unknown', '/body/some too_short'
  ])
})

t.test('pointers are escaped and bounded, errors are few, and no value is repeated', async t => {
  const schema = StrictObject({ 'a/b~c': Text(), secret: Secret() })
  t.strictSame(codes(check(schema, { secret: 'x', '~/': 1 })), ['/body/a~1b~0c required', '/body/~0~1 unknown'])
  const long = check(schema, { 'a/b~c': '', secret: 'x', ['k'.repeat(10_000)]: 1, ['😀'.repeat(10_000)]: 1 })
  t.ok(long.every(({ path }) => path.length <= 256 && isText(path)))
  t.equal(check(schema, Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`k${i}`, 1]))).length, 50)
  const hunter = ['hunter2\0', 5, ['hunter2'], { hunter2: 1 }].map(secret => check(schema, { 'a/b~c': 'hunter2\0', secret }))
  t.notMatch(JSON.stringify(hunter), 'hunter2')
  t.match(check(schema, null), [{ path: '/body', code: 'required' }], 'Fastify shows an absent body as null')
  t.strictSame(codes(check(StrictObject({}, exactlyOneOf('a', 'b')), [])), ['/body type'], 'the wrong type says it all')
  t.strictSame(toFieldErrors([{ keyword: 'anyOf', instancePath: '', schemaPath: '#/anyOf', params: {} }], 'body'), [{ path: '/body', code: 'invalid', message: 'Is not acceptable; see the API description.' }])
})

t.test('shared schemas are found by $ref, and only those that are named must be ours', async t => {
  const shared = {
    Name: Text({ $id: 'Name', maxLength: 3 }),
    Person: StrictObject({ name: Type.Ref('Name') }, { $id: 'Person' }),
    Foreign: { $id: 'Foreign', $schema: 'http://json-schema.org/draft-07/schema#', items: [{ nonsense: true }] }
  }
  const schema = StrictObject({ person: Type.Ref('Person'), nick: Type.Unsafe({ $ref: 'Person#/properties/name' }) })
  t.strictSame(check(schema, { person: { name: 'ada' }, nick: 'a' }, 'body', shared), [])
  t.strictSame(codes(check(schema, { person: { name: 'adaa', x: 1 }, nick: '' }, 'body', shared)), ['/body/person/name too_long', '/body/person/x unknown'])
  const compileShared = createValidatorCompiler(shared)
  t.doesNotThrow(() => [shared.Person, { ...shared.Person }, schema].map(schema => compileShared({ schema })), 'a schema with $id may be used inline, twice')
})

t.test('a schema that says what nobody understands fails when it is compiled', async t => {
  for (const schema of [{ type: 'string', format: 'emial' }, { type: 'string', minLenght: 1 }, { $ref: 'Nobody' }, { type: 'text' }, 5, []]) t.throws(() => compile({ schema }), JSON.stringify(schema))
  t.doesNotThrow(() => compile({ schema: Secret({ 'x-message': 'm', example: 'e', examples: ['e'], deprecated: true, writeOnly: true }) }))
  t.strictSame(codes(check(Type.Unsafe({}), 1)), [])
  t.equal(compile({ schema: true })(1), true)
})

import { Type, type TSchema } from '@sinclair/typebox'
import fc from 'fast-check'
import t from 'tap'
import { createInputMasker, createPathMasker } from '../../../src/logging/mask-input.ts'
import { Password } from '../../../src/schemas/text.ts'

const login = Type.Object({
  email: Type.String(),
  password: Password(),
  age: Type.Optional(Type.Integer()),
  tags: Type.Optional(Type.Array(Type.String())),
  address: Type.Optional(Type.Object({ zip: Type.String(), pin: Type.String({ 'x-sensitive': true }) })),
  anything: Type.Optional(Type.Unknown())
})
const mask = createInputMasker(login)

t.test('known fields are shown, sensitive ones masked, unknown ones counted', async t => {
  t.same(mask({ email: 'a@b.de', password: 'canary', age: 3, address: { zip: '1', pin: 'canary', canary: 1 }, canary: 'x', 'canary:2': {} }), {
    email: 'a@b.de', password: '[masked]', age: 3, address: { zip: '1', pin: '[masked]', unknownProperties: 1 }, unknownProperties: 2
  })
  t.same(mask({ password: { canary: ['canary'] } }), { password: '[masked]' })
  t.same(mask({ password: null }), { password: '[masked]' })
})

t.test('text and arrays are cut, secrets in them scrubbed', async t => {
  t.same(mask({ email: 'x'.repeat(100), tags: Array.from({ length: 12 }, () => 'y') }), {
    email: `${'x'.repeat(64)}…`, tags: [...Array.from({ length: 10 }, () => 'y'), '[2 more]']
  })
  t.same(mask({ email: 'Bearer canary' }), { email: '[redacted]' })
})

t.test('values that the schema does not expect are only named by type', async t => {
  for (const [value, described] of [['canary', '[string]'], [1, '[number]'], [true, '[boolean]'], [['canary'], '[array of 1]'], [null, null], [undefined, '[undefined]'], [{}, {}]]) {
    t.same(mask(value), described)
    t.same(createInputMasker(undefined)(value), described)
  }
  t.same(mask({ email: 5, age: 'canary', tags: 'canary', address: 'canary', anything: 'canary' }), { email: '[number]', age: '[string]', tags: '[string]', address: '[string]', anything: '[string]' })
  t.same(createInputMasker(true)({ canary: 'canary' }), { unknownProperties: 1 })
  t.same(mask(JSON.parse('{"__proto__":{"canary":1},"constructor":1}')), { unknownProperties: 2 })
  const literal = createInputMasker(Type.Object({ kind: Type.Union([Type.Literal('a'), Type.Null()]), size: Type.Unsafe({ enum: [1, 2] }) }))
  t.same(literal({ kind: 'b', size: 3 }), { kind: 'b', size: 3 })
})

t.test('a field is masked when any branch that describes it is sensitive', async t => {
  const secret = Type.Object({ value: Type.String({ 'x-sensitive': true }) })
  const plain = Type.Object({ value: Type.String() })
  const combined: TSchema[] = [Type.Union([plain, secret]), Type.Intersect([plain, secret]), Type.Unsafe({ oneOf: [plain, secret] }), Type.Unsafe({ ...plain, if: plain, then: secret }), Type.Unsafe({ ...plain, dependentSchemas: { value: secret } })]
  for (const schema of combined) t.same(createInputMasker(schema)({ value: 'canary' }), { value: '[masked]' })
  t.same(createInputMasker(Type.Tuple([Type.String(), secret]))(['x', { value: 'canary' }]), ['x', { value: '[masked]' }])
  t.equal(createInputMasker(Type.Object({ a: Type.String() }, { 'x-sensitive': true }))({ a: 'canary' }), '[masked]')
  t.same(createInputMasker(Type.Union([plain, plain]))({ value: 'seen' }), { value: 'seen' })
})

t.test('references are followed; what cannot be resolved is masked', async t => {
  const find = (id: string) => id === 'Login' ? { $id: 'Login', ...login, properties: { ...login.properties, other: { $ref: '#/properties/password' } } } : undefined
  const body = { email: 'a@b.de', password: 'canary', other: 'canary' }
  for (const $ref of ['Login', 'Login#']) t.same(createInputMasker({ $ref }, find)(body), { email: 'a@b.de', password: '[masked]', other: '[masked]' })
  t.same(createInputMasker({ properties: { a: { $ref: 'Login#/properties/email' } } }, find)({ a: 'seen' }), { a: 'seen' })
  t.same(createInputMasker({ $defs: { 'a/b': { type: 'string' } }, properties: { a: { $ref: '#/$defs/a~1b' } } })({ a: 'seen' }), { a: 'seen' })
  for (const $ref of ['Unknown', 'Login#/nowhere', 'Login#anchor', '#/%zz', '#/$defs/x', 5]) {
    t.same(createInputMasker({ properties: { a: { $ref } } }, find)({ a: 'canary' }), { a: '[masked]' }, String($ref))
  }
  t.equal(createInputMasker({ $dynamicRef: '#x' })('canary'), '[masked]')
  t.same(createInputMasker({ $ref: '#' })({ a: 1 }), { unknownProperties: 1 }, 'a reference to itself ends')
})

t.test('recursive schemas and deep values end', async t => {
  const node = Type.Recursive(This => Type.Object({ name: Type.String(), secret: Password(), child: Type.Optional(This), children: Type.Optional(Type.Array(This)) }))
  const masker = createInputMasker(node)
  t.same(masker({ name: 'a', child: { name: 'b', secret: 'canary', children: [{ secret: 'canary' }] } }), { name: 'a', child: { name: 'b', secret: '[masked]', children: [{ secret: '[masked]' }] } })
  let deep: object = {}
  for (let depth = 0; depth < 1000; depth++) deep = { child: deep }
  t.match(JSON.stringify(masker(deep)), /"\[object\]"/)
})

t.test('pointers keep the names that the schema knows', async t => {
  const path = createPathMasker(login)
  for (const known of ['', '/body', '/body/email', '/body/password', '/body/tags/0', '/body/address/zip']) t.equal(path(known), known)
  t.equal(path('/body/canary'), '/body/[unknown]')
  t.equal(path('/body/canary/email'), '/body/[unknown]')
  t.equal(path('/body/address/canary'), '/body/address/[unknown]')
  t.equal(path('/body/email/0'), '/body/email/[unknown]')
  t.equal(path('/canary/email'), '/[unknown]')
  t.equal(createPathMasker({ properties: { 'a/b~c': { properties: { 0: {} } } } })('/query/a~1b~0c/0'), '/query/a~1b~0c/0')
  t.equal(createPathMasker(undefined)('/body/email'), '/body/[unknown]')
})

t.test('no name or value that the schema does not know gets out', async () => {
  const path = createPathMasker(login)
  const canary = fc.string().map(text => `canary${text}`)
  fc.assert(fc.property(fc.dictionary(canary, fc.anything()), canary, fc.constantFrom('password', 'anything', 'address', 'tags', 'age'), (unknown, value, name) => {
    const description = JSON.stringify(mask({ ...unknown, [name]: value }))
    return !description.includes('canary') && !path(`/body/${value}`).includes('canary')
  }))
})

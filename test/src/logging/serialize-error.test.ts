import { DrizzleQueryError } from 'drizzle-orm/errors'
import fc from 'fast-check'
import postgres from 'postgres'
import t from 'tap'
import { CodedError } from '../../../src/errors.ts'
import { serializeError } from '../../../src/logging/serialize-error.ts'

const frame = /^ {4}at .+/

const postgresError = () => Object.assign(new postgres.PostgresError('duplicate key value violates unique constraint "users_email_key"'), {
  code: '23505',
  constraint_name: 'users_email_key',
  detail: 'Key (email)=(canary@example.com) already exists.',
  where: 'canary',
  query: 'insert canary',
  parameters: ['canary']
})

const queryError = () => new DrizzleQueryError('insert into "users" ("email") values ($1)\n    at canary (file:1:1)', ['canary@example.com'], postgresError())

t.test('an error of the database shows SQLSTATE, constraint and frames, and no value, SQL or message', async t => {
  const serialized = serializeError(queryError())
  t.match(serialized, { type: 'DrizzleQueryError', sqlState: '23505', constraint: 'users_email_key', stack: frame })
  t.match(serialized.cause, { type: 'PostgresError', sqlState: '23505', constraint: 'users_email_key', stack: frame })
  t.equal(serialized.message, undefined)
  t.equal(serialized.cause?.message, undefined)
  const text = JSON.stringify(serialized)
  for (const word of ['canary', 'insert', 'email"', 'duplicate', 'detail']) t.notMatch(text, word)
})

t.test('a stack whose message was changed afterwards is left out', async t => {
  const error = queryError()
  t.match(error.stack, 'canary', 'V8 writes the message into the stack when it is first read')
  error.message = 'changed'
  t.equal(serializeError(error).stack, undefined)
})

t.test('a coded error keeps message and code, and its cause is described as safely', async t => {
  const serialized = serializeError(new CodedError('DATABASE_ERROR', 'The database gave an unexpected answer.', { cause: queryError() }))
  t.match(serialized, { type: 'CodedError', code: 'DATABASE_ERROR', message: 'The database gave an unexpected answer.', stack: /CodedError: The database.+\n {4}at /, cause: { type: 'DrizzleQueryError', cause: { sqlState: '23505' } } })
  t.notMatch(JSON.stringify(serialized), 'canary')
})

t.test('codes of Node.js are no SQLSTATE', async t => {
  for (const code of ['EPIPE', 'E2BIG', 'ECONNREFUSED', 'ERR_INVALID_ARG_TYPE', 'CONNECT_TIMEOUT']) {
    const serialized = serializeError(Object.assign(new Error('no luck'), { code }))
    t.match(serialized, { type: 'Error', code, message: 'no luck', sqlState: undefined })
  }
  for (const sqlState of ['57P01', 'XX000', '0A000', 'P0001']) t.match(serializeError(Object.assign(new Error('value "canary"'), { code: sqlState })), { sqlState, code: undefined, message: undefined })
})

t.test('a parser error does not quote what was parsed', async t => {
  try {
    JSON.parse('{"password": hunter2}')
    t.fail('parsed')
  } catch (error) {
    t.match(serializeError(error), { type: 'SyntaxError', stack: frame })
    t.notMatch(JSON.stringify(serializeError(error)), 'hunter')
  }
})

t.test('other messages are scrubbed and cut, and no other property is taken', async t => {
  const error = Object.assign(new TypeError(`at postgres://u:canary@h ${'x'.repeat(5000)}`), { secret: 'canary', code: 'not a code!' })
  const serialized = serializeError(error)
  t.match(serialized, { type: 'TypeError', message: /^at postgres:\/\/\[redacted\]@h x+…$/, code: undefined })
  t.equal(serialized.message?.length, 1001)
  t.ok((serialized.stack?.length ?? 0) <= 8001)
  t.notMatch(JSON.stringify(serialized), 'canary')
})

t.test('causes and members are bounded', async t => {
  const loop = new Error('loop')
  loop.cause = loop
  t.equal(JSON.stringify(serializeError(loop)).match(/"type"/g)?.length, 6)
  const many = serializeError(new AggregateError(Array.from({ length: 50 }, () => queryError()), 'many'))
  t.equal(many.errors?.length, 5)
  t.notMatch(JSON.stringify(many), 'canary')
})

t.test('anything that is thrown is described', async t => {
  t.same(serializeError('Bearer abc'), { type: 'string', message: '[redacted]' })
  t.same(serializeError({ password: 'canary' }), { type: 'object' })
  t.same(serializeError(undefined), { type: 'undefined' })
  const hostile = new Error('x')
  Object.defineProperty(hostile, 'cause', { get () { throw new Error('canary') } })
  t.same(serializeError(hostile), { type: 'Error', message: '[not serializable]' })
  t.equal(serializeError(Object.assign(new Error('x'), { name: 'not a name' })).type, 'Error')
  fc.assert(fc.property(fc.anything(), value => JSON.stringify(serializeError(value)).length > 0))
})

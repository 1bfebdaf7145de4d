import t from 'tap'
import { correlationIdFrom, correlationIdOf, requestIdFrom, requestIdOf } from '../../src/request-id.ts'

const uuidv7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

t.test('an acceptable X-Request-Id is kept, else an acceptable X-Correlation-Id', async t => {
  for (const id of ['a', 'A-1_b.c', 'x'.repeat(128)]) {
    t.equal(requestIdFrom({ 'x-request-id': id, 'x-correlation-id': 'other' }), id)
    t.equal(requestIdFrom({ 'x-correlation-id': id }), id)
    t.equal(requestIdFrom({ 'x-request-id': 'not ok', 'x-correlation-id': id }), id)
    t.equal(correlationIdFrom({ 'x-correlation-id': id }, 'own'), id)
  }
})

t.test('any other form gets a new UUIDv7', async t => {
  for (const id of ['', 'x'.repeat(129), 'a b', 'a, b', 'a\r\nb', 'ä', '$(x)', 'a/b', ['a'], ['a', 'b']]) {
    t.match(requestIdFrom({ 'x-request-id': id }), uuidv7)
    t.equal(correlationIdFrom({ 'x-correlation-id': id }, 'own'), 'own')
  }
  t.match(requestIdFrom({}), uuidv7)
  t.not(requestIdFrom({}), requestIdFrom({}))
})

t.test('a raw request keeps the ids it was first given', async t => {
  const raw = { headers: {} }
  const id = requestIdOf(raw)
  t.match(id, uuidv7)
  raw.headers = { 'x-request-id': 'late' }
  t.equal(requestIdOf(raw), id)
  t.equal(correlationIdOf(raw), id)
  t.equal(correlationIdOf({ headers: { 'x-request-id': 'r', 'x-correlation-id': 'c' } }), 'c')
  t.not(requestIdOf({ headers: {} }), id)
  t.match(requestIdOf(undefined), uuidv7)
})

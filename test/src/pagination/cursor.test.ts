import { Type } from '@sinclair/typebox'
import fc from 'fast-check'
import t from 'tap'
import { CodedError } from '../../../src/errors.ts'
import { createSecrets } from '../../../src/keys/secrets.ts'
import { createCursors } from '../../../src/pagination/cursor.ts'
import { toPage } from '../../../src/pagination/to-page.ts'
import '../../helpers/property-seed.ts'

const [older, newer] = ['an-older-secret-that-is-long-enough-for-this', 'a-newer-secret-that-is-long-enough-for-this']
const secrets = createSecrets([older])
const Position = Type.Tuple([Type.Union([Type.String(), Type.Null()]), Type.String()])
const cursors = createCursors({ secrets, list: 'people', position: Position })

const position = fc.tuple(fc.option(fc.string({ unit: 'binary' })), fc.uuid())
const binding = fc.array(fc.option(fc.string({ unit: 'binary' })), { maxLength: 4 })

/** Whether the attempt is refused as it should be, and not in another way. */
function isRefused (attempt: () => unknown): boolean {
  try {
    attempt()
    return false
  } catch (error) {
    return error instanceof CodedError && error.code === 'INVALID_INPUT' && error.errors?.[0]?.path === '/query/cursor'
  }
}

t.test('a cursor is read as it was written, and may stand in a URL', async t => {
  fc.assert(fc.property(position, binding, (position, binding) => {
    const cursor = cursors.write(position, binding)
    t.match(cursor, /^[A-Za-z0-9._-]+$/)
    t.same(cursors.read(cursor, binding), position)
  }))
})

t.test('whatever was changed about one is refused', async () => {
  fc.assert(fc.property(position, binding, fc.nat(), fc.constantFrom(...'AZaz09-_.=+/ %é'), (position, binding, at, character) => {
    const cursor = cursors.write(position, binding)
    const index = at % cursor.length
    const changed = cursor.slice(0, index) + character + cursor.slice(index + 1)
    return changed === cursor || isRefused(() => cursors.read(changed, binding))
  }))
  fc.assert(fc.property(position, fc.nat(), (position, at) => {
    const cursor = cursors.write(position, [])
    const index = at % cursor.length
    return isRefused(() => cursors.read(cursor.slice(0, index), [])) && isRefused(() => cursors.read(cursor + cursor.slice(index), []))
  }))
})

t.test('no text that was not written is taken', async () => {
  fc.assert(fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.base64String(), fc.stringMatching(/^[\w-]{8}\.[\w-]{1,60}\.[\w-]{43}$/)), text => isRefused(() => cursors.read(text, []))))
})

t.test('one is good for its list and binding only', async t => {
  const others = createCursors({ secrets, list: 'events', position: Position })
  fc.assert(fc.property(position, binding, binding, (position, binding, another) => {
    const cursor = cursors.write(position, binding)
    return isRefused(() => others.read(cursor, binding)) &&
      (JSON.stringify(binding) === JSON.stringify(another) || isRefused(() => cursors.read(cursor, another)))
  }))
  t.ok(isRefused(() => cursors.read(cursors.write([null, 'x'], ['a', 'b']), ['ab'])), 'parts do not run together')
})

t.test('every configured secret is accepted, a dropped one is not', async t => {
  const under = (...values: string[]) => createCursors({ secrets: createSecrets(values), list: 'people', position: Position })
  const [before, rolling, after] = [under(older), under(newer, older), under(newer)]
  const cursor = before.write(['a', 'b'], [])
  t.same(rolling.read(cursor, []), ['a', 'b'])
  t.same(after.read(rolling.write(['a', 'b'], []), []), ['a', 'b'])
  t.ok(isRefused(() => after.read(cursor, [])))
})

t.test('a position of another shape, as of another release, is refused', async t => {
  const before = createCursors({ secrets, list: 'people', position: Type.String() })
  t.ok(isRefused(() => cursors.read(before.write('a', []), [])))
})

t.test('pages: one row more than the limit tells that there is another', async t => {
  const page = (rows: number[]) => toPage(rows, 2, row => ({ row }), row => `after ${row}`)
  t.same(page([]), { items: [], nextCursor: null })
  t.same(page([1, 2]), { items: [{ row: 1 }, { row: 2 }], nextCursor: null })
  t.same(page([1, 2, 3]), { items: [{ row: 1 }, { row: 2 }], nextCursor: 'after 2' })
})

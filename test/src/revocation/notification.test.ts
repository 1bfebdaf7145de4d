import fc from 'fast-check'
import t from 'tap'
import { heartbeatPayload, parseNotification } from '../../../src/revocation/notification.ts'

const id = '01920000-0000-7000-8000-00000000000a'

t.test('what the triggers and the instances say', async t => {
  t.same(parseNotification(`s ${id} 1700000000`), { about: 'revocation', revocation: { kind: 'session', subjectId: id, expiresAt: new Date(1_700_000_000_000) } })
  t.same(parseNotification(`u ${id} 7 1700000000`), { about: 'revocation', revocation: { kind: 'user', subjectId: id, authzVersion: 7, expiresAt: new Date(1_700_000_000_000) } })
  t.match(parseNotification(`u ${id} 2147483647 1700000000`), { revocation: { authzVersion: 2_147_483_647 } }, 'the highest version that the database knows')
  t.same(parseNotification('k'), { about: 'keys' })
  t.same(parseNotification(heartbeatPayload('x-1')), { about: 'heartbeat', nonce: 'x-1' })
})

t.test('what a later release may say, or a stranger, is ignored', async t => {
  const strange = [
    '', ' ', 's', 'u', 'h', 'h ', 'K', 'k ', 'kk', 'p something', `s ${id}`, `u ${id} 7`, `s ${id} -1`, `s ${id} 1.5`, `s ${id} 1e9`, `s ${id} Infinity`,
    `s ${id} 1700000000 more`, `s  ${id} 1700000000`, `s ${id.toUpperCase()} 1700000000`, `s ${id}\n1700000000`, `s ${id} 1700000000\n`, `S ${id} 1700000000`,
    `u ${id} x 1700000000`, `u ${id} -7 1700000000`, `u ${id} 7 1700000000000000000`, `s ${id.slice(1)} 1700000000`, "s '; drop table users; -- 1700000000",
    `h ${'x'.repeat(101)}`, 'h two words', `s ${id} ١٧٠٠٠٠٠٠٠٠`, '\u0000', '{"about":"revocation"}', '__proto__'
  ]
  for (const payload of strange) t.equal(parseNotification(payload), undefined, JSON.stringify(payload))
})

t.test('every payload is understood as it was meant or not at all, and never throws', async t => {
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), payload => {
    const said = parseNotification(payload)
    return said === undefined || (payload === 'k' ? said.about === 'keys' : said.about === 'heartbeat' && payload === heartbeatPayload(said.nonce))
  }))
  fc.assert(fc.property(fc.uuid(), fc.nat({ max: 2_147_483_647 }), fc.integer({ min: 0, max: 99_999_999_999 }), (subjectId, authzVersion, seconds) => {
    const expiresAt = new Date(seconds * 1000)
    t.same(parseNotification(`s ${subjectId} ${seconds}`), { about: 'revocation', revocation: { kind: 'session', subjectId, expiresAt } })
    t.same(parseNotification(`u ${subjectId} ${authzVersion} ${seconds}`), { about: 'revocation', revocation: { kind: 'user', subjectId, authzVersion, expiresAt } })
  }))
  fc.assert(fc.property(fc.constantFrom(`s ${id} 1700000000`, `u ${id} 7 1700000000`), fc.nat({ max: 60 }), fc.string({ unit: 'grapheme', minLength: 1, maxLength: 3 }), (payload, at, other) => {
    const said = parseNotification(payload.slice(0, at) + other + payload.slice(at + other.length))
    return said?.about !== 'revocation' || !Number.isNaN(said.revocation.expiresAt.getTime())
  }))
})

import { randomUUID } from 'node:crypto'
import t from 'tap'
import { sessionDigest, userDigest } from '../../../src/revocation/digests.ts'
import { createPublishRevocations } from '../../../src/revocation/publish-revocations.ts'
import { createRevocationSet } from '../../../src/revocation/revocation-set.ts'
import { until } from '../../helpers/until.ts'

const inSeconds = (seconds: number): Date => new Date(Date.now() + seconds * 1000)

function setUp (maxEntries = 1000) {
  const set = createRevocationSet(maxEntries)
  let stalenessSeconds = 0.2
  const publish = createPublishRevocations('https://issuer.test', { set, check: () => ({ loaded: true, fresh: true, stalenessSeconds, entries: set.size, full: set.isFull, connections: 1 }) })
  return { set, publish, grow: (seconds: number) => { stalenessSeconds = seconds } }
}

t.test('the list follows what is added and forgotten, sorted, and is written once for each content', async t => {
  const { set, publish } = setUp()
  const sessions = Array.from({ length: 20 }, (_, i) => ({ kind: 'session' as const, subjectId: randomUUID(), expiresAt: inSeconds(i < 10 ? 1 : 100) }))
  const user = { kind: 'user' as const, subjectId: randomUUID(), authzVersion: 3, expiresAt: inSeconds(100) }
  const expected = (ended: typeof sessions): string[] => ended.map(({ subjectId }) => sessionDigest(subjectId)).sort()
  const listed = (): { iss: string, sessions: string[], users: unknown[] } => JSON.parse(publish().body.toString())
  set.add(sessions.slice(0, 15))
  t.same(listed(), { iss: 'https://issuer.test', sessions: expected(sessions.slice(0, 15)), users: [] })
  t.equal(publish().body, publish().body)
  set.add([...sessions.slice(15), user])
  await until('it is written anew', () => listed().users.length === 1)
  t.same(listed(), { iss: 'https://issuer.test', sessions: expected(sessions), users: [{ digest: userDigest(user.subjectId), version: 3 }] })
  set.prune(Date.now() + 2000)
  await until('it is written anew', () => listed().sessions.length === 10)
  t.same(listed().sessions, expected(sessions.slice(10)))
})

t.test('its age is that of the feed, in whole seconds and never less', async t => {
  const { set, publish, grow } = setUp()
  t.equal(publish().ageSeconds, 1)
  grow(7.5)
  t.equal(publish().ageSeconds, 8)
  const before = publish().body
  set.add([{ kind: 'session' as const, subjectId: randomUUID(), expiresAt: inSeconds(100) }])
  await until('it is written anew', () => publish().body !== before)
  t.equal(publish().ageSeconds, 8)
})

t.test('what is not all of it is not published', async t => {
  const { set, publish } = setUp(1)
  set.add(Array.from({ length: 2 }, () => ({ kind: 'session' as const, subjectId: randomUUID(), expiresAt: inSeconds(100) })))
  t.throws(publish, { code: 'SERVICE_UNAVAILABLE', retryAfterSeconds: 1 })
})

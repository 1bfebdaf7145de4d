import t from 'tap'
import { sessionDigest, userDigest } from '../../../src/revocation/digests.ts'
import { createDigestList } from '../../../src/verify/digest-list.ts'

const ada = { sid: 'session-1', sub: 'ada', ver: 1 }
const session = sessionDigest(ada.sid)
const user = (version: number) => ({ digest: userDigest(ada.sub), version })

t.test('a session and a user of the same id are not confused', async t => {
  t.not(sessionDigest('x'), userDigest('x'))
  t.match(sessionDigest('x'), /^[\w-]{22}$/)
})

t.test('judges by digests and versions', async t => {
  const list = createDigestList()
  t.equal(list.judge(ada), 'live')
  list.replace({ sessions: [session], users: [] }, { knownUntil: 0, receivedAt: 1 })
  t.equal(list.judge(ada), 'ended')
  t.equal(list.judge({ ...ada, sid: 'session-2' }), 'live')
  list.replace({ sessions: [], users: [user(2)] }, { knownUntil: 10, receivedAt: 11 })
  t.equal(list.judge(ada), 'stale')
  t.equal(list.judge({ ...ada, ver: 2 }), 'live')
})

t.test('an instance that heard less takes nothing back', async t => {
  const list = createDigestList()
  list.replace({ sessions: [session], users: [user(3)] }, { knownUntil: 90, receivedAt: 100 })
  list.replace({ sessions: [], users: [user(2)] }, { knownUntil: 95, receivedAt: 110 })
  t.equal(list.judge(ada), 'ended')
  t.equal(list.judge({ ...ada, sid: 'session-2', ver: 2 }), 'stale')
  list.confirm({ knownUntil: 99, receivedAt: 120 })
  t.equal(list.judge(ada), 'ended')
  list.replace({ sessions: [], users: [] }, { knownUntil: 80, receivedAt: 125 })
  t.equal(list.judge({ ...ada, sid: 'session-2', ver: 2 }), 'stale', 'the higher version is kept')

  list.confirm({ knownUntil: 130, receivedAt: 131 })
  t.equal(list.judge(ada), 'live', 'whoever knew everything of that moment did not list it: it expired')
  t.equal(list.size, 0)
})

import t from 'tap'
import { sessionDigest, userDigest } from '../../../src/revocation/digests.ts'
import type { RevocationList } from '../../../src/schemas/revocation-list.ts'
import { createDigestList } from '../../../src/verify/digest-list.ts'

const ada = { sid: 'session-1', sub: 'ada', ver: 1 }
const session = sessionDigest(ada.sid)
const listOf = (sessions: string[], users: RevocationList['users']): RevocationList => ({ iss: 'https://issuer.test', sessions, users })
const user = (version: number) => ({ digest: userDigest(ada.sub), version })

t.test('a session and a user of the same id are not confused', async t => {
  t.not(sessionDigest('x'), userDigest('x'))
  t.match(sessionDigest('x'), /^[\w-]{22}$/)
})

t.test('judges by digests and versions', async t => {
  const list = createDigestList()
  t.equal(list.judge(ada), 'live')
  list.replace(listOf([session], []), { knownUntil: 0, receivedAt: 1 })
  t.equal(list.judge(ada), 'ended')
  t.equal(list.judge({ ...ada, sid: 'session-2' }), 'live')
  list.replace(listOf([], [user(2)]), { knownUntil: 10, receivedAt: 11 })
  t.equal(list.judge(ada), 'stale')
  t.equal(list.judge({ ...ada, ver: 2 }), 'live')
})

t.test('an instance that heard less takes nothing back', async t => {
  const list = createDigestList()
  list.replace(listOf([session], [user(3)]), { knownUntil: 90, receivedAt: 100 })
  list.replace(listOf([], [user(2)]), { knownUntil: 95, receivedAt: 110 })
  t.equal(list.judge(ada), 'ended')
  t.equal(list.judge({ ...ada, sid: 'session-2', ver: 2 }), 'stale')
  list.confirm({ knownUntil: 99, receivedAt: 120 })
  t.equal(list.judge(ada), 'ended')
  list.replace(listOf([], []), { knownUntil: 80, receivedAt: 125 })
  t.equal(list.judge({ ...ada, sid: 'session-2', ver: 2 }), 'stale', 'the higher version is kept')

  list.confirm({ knownUntil: 130, receivedAt: 131 })
  t.equal(list.judge(ada), 'live', 'whoever knew everything of that moment did not list it: it expired')
  t.equal(list.size, 0)
})

t.test('what a list that was confirmed since held is kept, too, when a lagging instance lacks it', async t => {
  const list = createDigestList()
  list.replace(listOf([session], []), { knownUntil: 90, receivedAt: 100 })
  list.confirm({ knownUntil: 190, receivedAt: 200 })
  list.replace(listOf([], []), { knownUntil: 150, receivedAt: 210 })
  t.equal(list.judge(ada), 'ended')
  list.confirm({ knownUntil: 200, receivedAt: 220 })
  t.equal(list.judge(ada), 'live')
})

t.test('a user that comes twice counts with the higher version, in either order', async t => {
  for (const users of [[user(2), user(4)], [user(4), user(2)]]) {
    const list = createDigestList()
    list.replace(listOf([], users), { knownUntil: 0, receivedAt: 1 })
    t.equal(list.judge({ ...ada, ver: 3 }), 'stale')
    t.equal(list.judge({ ...ada, ver: 4 }), 'live')
  }
})

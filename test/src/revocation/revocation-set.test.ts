import fc from 'fast-check'
import t from 'tap'
import type { Revocation } from '../../../src/db/revocations.ts'
import { createRevocationSet } from '../../../src/revocation/revocation-set.ts'

const session = (subjectId: string, expiresAt = 1000): Revocation => ({ kind: 'session', subjectId, expiresAt: new Date(expiresAt) })
const user = (subjectId: string, authzVersion: number, expiresAt = 1000): Revocation => ({ kind: 'user', subjectId, authzVersion, expiresAt: new Date(expiresAt) })
const token = (sid: string, sub = 'somebody', ver = 1) => ({ sid, sub, ver })

const revocation = fc.oneof(
  fc.record({ kind: fc.constant('session' as const), subjectId: fc.constantFrom('s1', 's2', 's3'), expiresAt: fc.date({ min: new Date(1), max: new Date(5) }) }),
  fc.record({ kind: fc.constant('user' as const), subjectId: fc.constantFrom('u1', 'u2'), authzVersion: fc.integer({ min: 2, max: 5 }), expiresAt: fc.date({ min: new Date(1), max: new Date(5) }) })
)
const tokens = ['s1', 's2', 's3', 's4'].flatMap(sid => ['u1', 'u2', 'u3'].flatMap(sub => [1, 2, 3, 4, 5].map(ver => token(sid, sub, ver))))

t.test('a session that ended, a user whose rights changed, and everybody else', async t => {
  const set = createRevocationSet(10)
  set.add([session('s1'), user('u1', 3)])
  t.equal(set.judge(token('s1')), 'ended')
  t.equal(set.judge(token('s1', 'u1', 1)), 'ended', 'the end of a session outranks stale rights')
  t.equal(set.judge(token('s2', 'u1', 2)), 'stale')
  t.equal(set.judge(token('s2', 'u1', 3)), 'live')
  t.equal(set.judge(token('s2', 'u1', 4)), 'live', 'a token of a version that was not told yet')
  t.equal(set.judge(token('u1', 's1')), 'live', 'ids of sessions and users do not mix')
  t.equal(set.size, 2)
  t.same([...set.sessions()], ['s1'])
  t.same([...set.users()], [['u1', 3]])
})

t.test('order and repetition do not matter, whatever is added and forgotten', async t => {
  fc.assert(fc.property(fc.array(revocation, { maxLength: 12 }), fc.array(fc.nat()), fc.integer({ min: 0, max: 6 }), (added, shuffle, now) => {
    const [one, other] = [createRevocationSet(100), createRevocationSet(100)]
    one.add(added)
    const shuffled = added.map((value, index) => ({ value, rank: shuffle[index] ?? 0 })).sort((a, b) => a.rank - b.rank).map(({ value }) => value)
    for (const value of [...shuffled, ...added]) other.add([value])
    one.prune(now)
    other.prune(now)
    return one.size === other.size && tokens.every(subject => one.judge(subject) === other.judge(subject))
  }))
  t.pass('held for every example')
})

t.test('an entry lives until its last expiry, whichever of them came first', async t => {
  for (const [first, second] of [[100, 200], [200, 100]]) {
    const set = createRevocationSet(10)
    set.add([session('s1', first), user('u1', 2, first), session('s1', second), user('u1', 2, second)])
    set.prune(199)
    t.equal(set.size, 2)
    set.prune(200)
    t.equal(set.size, 0)
    t.equal(set.judge(token('s1', 'u1', 1)), 'live')
  }
})

t.test('a lower version that is told late takes nothing back', async t => {
  const set = createRevocationSet(10)
  set.add([user('u1', 5), user('u1', 2)])
  t.equal(set.judge(token('s1', 'u1', 4)), 'stale')
})

t.test('full: what it knows it tells, of the rest it says that it does not know', async t => {
  const set = createRevocationSet(2)
  set.add([session('s1'), user('u1', 2)])
  t.notOk(set.isFull)
  t.equal(set.judge(token('s9')), 'live')
  set.add([session('s1'), user('u1', 3)])
  t.notOk(set.isFull, 'news of what it holds needs no room')
  set.add([session('s2')])
  t.ok(set.isFull)
  t.equal(set.size, 2)
  t.equal(set.judge(token('s1')), 'ended')
  t.equal(set.judge(token('s9', 'u1', 2)), 'stale')
  t.equal(set.judge(token('s2')), 'unknown')
  t.equal(set.judge(token('s9')), 'unknown')
})

t.test('it is full until a whole reading fitted', async t => {
  const set = createRevocationSet(2)
  set.add([session('s1', 10), session('s2', 20), session('s3', 30)])
  set.prune(15)
  t.ok(set.isFull, 'room alone does not bring back what was left out')

  const missed = set.beginReading()
  t.notOk(missed.isOverfull, 'that it was full before says nothing of this reading')
  set.add([session('s2', 20), session('s3', 30), session('s4', 40)])
  t.ok(missed.isOverfull)
  missed.end()
  t.equal(set.judge(token('s4')), 'unknown')

  set.prune(25)
  const whole = set.beginReading()
  set.add([session('s3', 30), session('s4', 40)])
  t.equal(set.judge(token('s9')), 'unknown', 'not before its end')
  whole.end()
  t.notOk(set.isFull)
  t.equal(set.judge(token('s4')), 'ended')
  t.equal(set.judge(token('s9')), 'live')
})

t.test('what was told during a reading and did not fit counts', async t => {
  const set = createRevocationSet(1)
  const reading = set.beginReading()
  set.add([session('s1')])
  set.add([session('told meanwhile')])
  reading.end()
  t.equal(set.judge(token('told meanwhile')), 'unknown')
})

t.test('a reading that broke off leaves it as it was', async t => {
  const set = createRevocationSet(1)
  set.add([session('s1'), session('s2')])
  set.beginReading()
  t.ok(set.isFull)
  t.equal(set.judge(token('s2')), 'unknown')
})

t.test('whatever is added, memory is bounded and nobody who was revoked is live', async t => {
  fc.assert(fc.property(fc.array(revocation, { maxLength: 12 }), fc.integer({ min: 1, max: 5 }), (added, bound) => {
    const set = createRevocationSet(bound)
    const all = createRevocationSet(100)
    for (const value of added) set.add([value])
    all.add(added)
    return set.size <= bound && tokens.every(subject => all.judge(subject) === 'live' || set.judge(subject) !== 'live')
  }))
  t.pass('held for every example')
})

t.test('the revision rises when what it says changes, and only then', async t => {
  const set = createRevocationSet(10)
  const rises = (change: () => void): boolean => {
    const before = set.revision
    change()
    return set.revision > before
  }
  t.ok(rises(() => set.add([session('s1', 10)])))
  t.notOk(rises(() => set.add([session('s1', 20)])))
  t.ok(rises(() => set.add([user('u1', 2, 10)])))
  t.notOk(rises(() => set.add([user('u1', 2, 20)])))
  t.ok(rises(() => set.add([user('u1', 3)])))
  t.notOk(rises(() => set.prune(15)))
  t.ok(rises(() => set.prune(20)))
})

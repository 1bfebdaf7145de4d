import t, { type Test } from 'tap'
import { createDatabaseClock } from '../../../src/keys/database-clock.ts'

const hour = 3_600_000

/** As if somebody set this machine's clock. */
function jump (t: Test, ms: number): void {
  const real = Date.now
  Date.now = () => real() + ms
  t.teardown(() => { Date.now = real })
}

t.test('it is this machine\'s time until the database said what it is', async t => {
  const clock = createDatabaseClock()
  const before = Date.now()
  const now = clock.now()
  t.ok(before <= now && now <= Date.now())
})

t.test('it goes on from what the database said last', async t => {
  const clock = createDatabaseClock()
  for (const said of [new Date('2040-01-01T00:00:00Z'), new Date('2001-01-01T00:00:00Z')]) {
    const from = performance.now()
    clock.sync(said)
    const passed = clock.now() - said.getTime()
    t.ok(passed >= 0 && passed <= performance.now() - from, `${passed}`)
  }
})

t.test('a jump of this machine\'s clock, either way, changes nothing', async t => {
  for (const ms of [-5 * hour, 5 * hour]) {
    await t.test(`${ms}`, async t => {
      const clock = createDatabaseClock()
      const said = Date.parse('2030-06-01T00:00:00Z')
      clock.sync(new Date(said))
      jump(t, ms)
      const now = clock.now()
      t.ok(now >= said && now < said + 10_000, `${now - said}`)
    })
  }
})

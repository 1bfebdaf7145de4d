import { AsyncLocalStorage } from 'node:async_hooks'
import fc from 'fast-check'
import t from 'tap'
import { BulkheadRejectedError, createBulkhead } from '../../src/bulkhead.ts'

/** A piece of work that ends when told to; `started` says whether it was ever called. */
function createJob (onStart: () => void = () => {}) {
  let finish = () => {}
  const ended = new Promise<void>(resolve => { finish = resolve })
  const job = { started: false, finish, fn: async () => { job.started = true; onStart(); await ended } }
  return job
}

async function microtasks (count: number): Promise<void> {
  for (let i = 0; i < count; i++) await Promise.resolve()
}

t.test('runs as many as it may at once, lets as many wait, and refuses the next at once', async t => {
  const { run, stats } = createBulkhead({ concurrency: 2, queue: 3 })
  const jobs = Array.from({ length: 5 }, () => createJob())
  const results = jobs.map(job => run(job.fn))
  t.same(jobs.map(job => job.started), [true, true, false, false, false], 'a free slot is taken before run returns')
  t.same(stats(), { active: 2, queued: 3, concurrency: 2, queue: 3 })

  const excess = createJob()
  await t.rejects(run(excess.fn), new BulkheadRejectedError('full'))
  t.equal(jobs[2]?.started, false, 'the refusal came while all the others were still under way')

  jobs.forEach(job => job.finish())
  await Promise.all(results)
  t.notOk(excess.started)
  t.same(stats(), { active: 0, queued: 0, concurrency: 2, queue: 3 })
})

t.test('answers what the work answers, also when it fails, and goes on', async t => {
  const { run, stats } = createBulkhead({ concurrency: 1, queue: 2 })
  const results = await Promise.allSettled([
    run(async () => { throw new Error('first') }),
    run(() => { throw new Error('second, not even a promise') }),
    run(async () => 'third')
  ])
  t.match(results, [
    { status: 'rejected', reason: { message: 'first' } },
    { status: 'rejected', reason: { message: 'second, not even a promise' } },
    { status: 'fulfilled', value: 'third' }
  ])
  t.equal(stats().active, 0)
})

t.test('with no queue it refuses whatever cannot start at once', async t => {
  const { run } = createBulkhead({ concurrency: 1, queue: 0 })
  const job = createJob()
  const running = run(job.fn)
  await t.rejects(run(async () => {}), new BulkheadRejectedError('full'))
  job.finish()
  await running
  t.equal(await run(async () => 'next'), 'next')
})

t.test('a newcomer neither overtakes nor pushes out a waiter while a slot changes hands', async t => {
  for (let moment = 0; moment < 12; moment++) {
    const order: string[] = []
    const { run } = createBulkhead({ concurrency: 1, queue: 1 })
    const first = createJob()
    const running = run(first.fn)
    const waiting = run(async () => { order.push('waiter') })
    first.finish()
    await microtasks(moment)
    const newcomer = await run(async () => { order.push('newcomer') }).catch(error => error)
    await Promise.all([running, waiting])
    t.same(order, newcomer === undefined ? ['waiter', 'newcomer'] : ['waiter'], `${moment} microtasks after the end`)
  }
})

t.test('a waiter whose turn does not come in time is refused, never runs and leaves its place', async t => {
  const { run, stats } = createBulkhead({ concurrency: 1, queue: 2, queueTimeoutMs: 30 })
  const running = createJob()
  const first = run(running.fn)
  const late = [createJob(), createJob()]
  const refusals = await Promise.allSettled(late.map(job => run(job.fn)))
  t.match(refusals, [{ reason: { name: 'BulkheadRejectedError', reason: 'timeout' } }, { reason: { reason: 'timeout' } }])
  t.same(stats(), { active: 1, queued: 0, concurrency: 1, queue: 2 }, 'work that has begun is left alone')

  const order: number[] = []
  const next = [1, 2].map(n => run(async () => { order.push(n) }))
  await t.rejects(run(async () => {}), new BulkheadRejectedError('full'))
  running.finish()
  await Promise.all([first, ...next])
  t.same(order, [1, 2])
  t.same(late.map(job => job.started), [false, false])
})

t.test('work runs in the async context of its own caller, however it got its turn', async t => {
  const caller = new AsyncLocalStorage<string>()
  const { run } = createBulkhead({ concurrency: 1, queue: 2 })
  const names = ['first', 'second', 'third']
  const seen = await Promise.all(names.map(name => caller.run(name, () => run(async () => caller.getStore()))))
  t.same(seen, names)
})

t.test('a storm that times out leaks no listeners and ends idle', async t => {
  const warnings: Error[] = []
  const listener = (warning: Error) => { warnings.push(warning) }
  process.on('warning', listener)
  const { run, stats } = createBulkhead({ concurrency: 2, queue: 500, queueTimeoutMs: 5 })
  const blockers = [createJob(), createJob()]
  const running = blockers.map(job => run(job.fn))
  const waiters = await Promise.allSettled(Array.from({ length: 500 }, () => run(async () => {})))
  blockers.forEach(job => job.finish())
  await Promise.all(running)
  await new Promise(resolve => setImmediate(resolve))
  process.off('warning', listener)
  t.ok(waiters.every(result => result.status === 'rejected'))
  t.same(warnings, [])
  t.match(stats(), { active: 0, queued: 0 })
})

t.test('whatever comes and ends when: never too many at once, first come first served, all accepted work is done', async () => {
  const step = fc.oneof(fc.constantFrom('arrive' as const, 'end' as const), fc.integer({ min: 1, max: 4 }))
  const bound = fc.integer({ min: 0, max: 3 })
  await fc.assert(fc.asyncProperty(fc.integer({ min: 1, max: 3 }), bound, fc.array(step, { minLength: 10, maxLength: 60 }), async (concurrency, queue, steps) => {
    const { run, stats } = createBulkhead({ concurrency, queue })
    const accepted: number[] = []
    const started: number[] = []
    const finishers: Array<() => void> = []
    const outcomes: Array<Promise<void>> = []
    let most = 0
    for (const [id, what] of steps.entries()) {
      if (what === 'end') finishers.shift()?.()
      else if (what !== 'arrive') await microtasks(what)
      else {
        const { active, queued } = stats()
        const job = createJob(() => {
          started.push(id)
          finishers.push(job.finish)
          most = Math.max(most, stats().active)
        })
        const outcome = run(job.fn)
        if (active + queued < concurrency + queue) {
          accepted.push(id)
          outcomes.push(outcome)
        } else outcomes.push(outcome.then(() => { throw new Error('ran without a place') }, () => {}))
      }
    }
    while (stats().active + stats().queued > 0) {
      finishers.splice(0).forEach(finish => finish())
      await microtasks(1)
    }
    await Promise.all(outcomes)
    return most <= concurrency && started.join() === accepted.join()
  }), { numRuns: 300 })
})

t.test('numbers that bound nothing are refused when it is made', async t => {
  for (const options of [{ concurrency: 0, queue: 1 }, { concurrency: 1.5, queue: 1 }, { concurrency: 1, queue: -1 }, { concurrency: 1, queue: NaN }, { concurrency: 1, queue: 1, queueTimeoutMs: 0 }]) {
    t.throws(() => createBulkhead(options), RangeError)
  }
})

import { once } from 'node:events'
import t from 'tap'
import { createBreaker, type Transition } from '../../../src/breakers/breaker.ts'
import { BreakerPolicySchema, type BreakerPolicyOptions } from '../../../src/breakers/policy.ts'
import { CodedError } from '../../../src/errors.ts'
import { parseOptions } from '../../../src/options.ts'
import { until } from '../../helpers/until.ts'

function build (options: BreakerPolicyOptions = {}) {
  const transitions: string[] = []
  const policy = parseOptions('test', BreakerPolicySchema, { threshold: 3, resetMs: 50, ...options })
  const breaker = createBreaker('thing', policy, ({ from, to }: Transition) => { transitions.push(`${from} > ${to}`) })
  return { breaker, transitions }
}

const down = async (): Promise<never> => { throw new Error('down') }
const up = async (): Promise<string> => 'up'
const refused = { code: 'SERVICE_UNAVAILABLE' }

async function open (breaker: ReturnType<typeof createBreaker>): Promise<void> {
  while (breaker.state().state !== 'open') await breaker.run(down).catch(() => {})
}

t.test('consecutive failures open it; then calls are refused without being made, until a probe finds it back', async t => {
  const { breaker, transitions } = build()
  t.same(breaker.state(), {
    name: 'thing', state: 'closed', failureCount: 0, successCount: 0, rejectedCount: 0, lastFailureAt: null, openedAt: null, responseTimeMs: { mean: null, p95: null }
  })
  await t.rejects(breaker.run(down), { message: 'down' })
  await t.rejects(breaker.run(down), { message: 'down' })
  t.equal(await breaker.run(up), 'up')
  await t.rejects(breaker.run(down), { message: 'down' })
  await t.rejects(breaker.run(down), { message: 'down' })
  t.equal(breaker.state().state, 'closed', 'a success between them starts the count again')
  await t.rejects(breaker.run(down), { message: 'down' })
  t.equal(breaker.state().state, 'open')
  t.match(breaker.state(), { openedAt: /Z$/, lastFailureAt: /Z$/, failureCount: 5, successCount: 1 })

  await t.rejects(breaker.run(async () => t.fail('was called')), refused)
  t.match(breaker.state(), { failureCount: 5, rejectedCount: 1 })
  await until('a probe came through', async () => await breaker.run(up).then(() => true, () => false))
  t.match(breaker.state(), { state: 'closed', openedAt: null, responseTimeMs: { mean: Number, p95: Number } })
  t.same(transitions, ['closed > open', 'open > halfOpen', 'halfOpen > closed'])
})

t.test('half open lets one call through and refuses the others; a failed probe opens it again', async t => {
  const { breaker, transitions } = build()
  await open(breaker)
  const { openedAt } = breaker.state()
  let end = () => {}
  let probing = Promise.resolve()
  await until('the probe runs', () => {
    let started = false
    const call = breaker.run(async () => {
      started = true
      await new Promise<void>((_resolve, reject) => { end = () => reject(new Error('still down')) })
    })
    if (started) probing = call
    else call.catch(() => {})
    return started
  })
  t.equal(breaker.state().state, 'halfOpen')
  const { rejectedCount } = breaker.state()
  const others = await Promise.allSettled([breaker.run(up), breaker.run(up), breaker.run(up)])
  t.match(others, [{ reason: refused }, { reason: refused }, { reason: refused }])
  t.equal(breaker.state().rejectedCount, rejectedCount + 3)
  end()
  await t.rejects(probing, { message: 'still down' })
  t.match(breaker.state(), { state: 'open', openedAt }, 'open since the first time')
  t.same(transitions, ['closed > open', 'open > halfOpen', 'halfOpen > open'])
})

t.test('calls that began before it opened do not open it again when they fail at last', async t => {
  const { breaker } = build()
  const ends: Array<() => void> = []
  const slow = Array.from({ length: 10 }, async () => await breaker.run(async () => await new Promise<void>((_resolve, reject) => { ends.push(() => reject(new Error('down'))) })))
  await open(breaker)
  await until('closed', async () => await breaker.run(up).then(() => true, () => false))
  for (const end of ends) end()
  t.match(await Promise.allSettled(slow), slow.map(() => ({ reason: { message: 'down' } })))
  t.equal(breaker.state().state, 'closed')
  t.equal(breaker.state().failureCount, 13, 'though they are counted')
})

t.test('Retry-After is what is left of the reset time, in whole seconds', async t => {
  const { breaker } = build({ resetMs: 90_000 })
  await open(breaker)
  await t.rejects(breaker.run(up), { code: 'SERVICE_UNAVAILABLE', retryAfterSeconds: 90 })
})

t.test('only failures open it', async t => {
  const { breaker } = build()
  const mistake = async (): Promise<never> => { throw new CodedError('CONFLICT', 'no') }
  for (let i = 0; i < 5; i++) await t.rejects(breaker.run(mistake), { code: 'CONFLICT' })
  t.match(breaker.state(), { state: 'closed', failureCount: 0, successCount: 5 })

  const judged = build({ judge: () => 'unknown' })
  for (let i = 0; i < 5; i++) await t.rejects(judged.breaker.run(down), { message: 'down' })
  t.match(judged.breaker.state(), { state: 'closed', failureCount: 0, successCount: 0, responseTimeMs: { mean: null } })
})

t.test('a probe that shows nothing does not close it', async t => {
  const { breaker, transitions } = build({ judge: error => error instanceof TypeError ? 'unknown' : 'failure' })
  await open(breaker)
  await until('the probe ran', async () => await breaker.run(async () => { throw new TypeError('?') }).catch(error => error instanceof TypeError))
  t.equal(breaker.state().state, 'open')
  t.equal(transitions.at(-1), 'halfOpen > open')
})

t.test('a call that takes too long is aborted and counts as a failure; many at once cause no warning', async t => {
  const warnings: Error[] = []
  const onWarning = (warning: Error) => { warnings.push(warning) }
  process.on('warning', onWarning)
  t.teardown(() => process.off('warning', onWarning))
  const { breaker } = build({ timeoutMs: 20, threshold: 1000 })
  const signals: AbortSignal[] = []
  const hung = await Promise.allSettled(Array.from({ length: 50 }, async () => await breaker.run(async ({ signal }) => {
    signals.push(signal)
    await once(signal, 'abort')
    await new Promise(() => {})
  })))
  t.match(hung, hung.map(() => ({ reason: refused })))
  t.ok(signals.length === 50 && signals.every(signal => signal.aborted))
  t.equal(new Set(signals).size, 50)
  t.equal(breaker.state().failureCount, 50)
  const kept = await breaker.run(async ({ signal }) => signal)
  t.notOk(kept.aborted, 'what was begun with the signal may go on after the call')
  await new Promise(resolve => setImmediate(resolve))
  t.same(warnings, [])
})

t.test('only idempotent calls are tried again, and no longer than the breaker lets them', async t => {
  const { breaker } = build({ retries: 2, retryDelayMs: 1, threshold: 5, resetMs: 60_000 })
  let calls = 0
  const flaky = async (): Promise<number> => {
    if (++calls < 3) throw new Error('down')
    return calls
  }
  await t.rejects(breaker.run(flaky), { message: 'down' })
  t.equal(calls, 1)
  t.equal(await breaker.run(flaky, { idempotent: true }), 3)
  await t.rejects(breaker.run(down, { idempotent: true }), { message: 'down' })
  t.match(breaker.state(), { state: 'closed', failureCount: 5 })
  await t.rejects(breaker.run(down, { idempotent: true }), refused, 'the second of three tries opened it')
  t.match(breaker.state(), { state: 'open', failureCount: 7, rejectedCount: 1 })
})

t.test('an answer is not tried again', async t => {
  const { breaker } = build({ retries: 2, retryDelayMs: 1 })
  await t.rejects(breaker.run(async () => { throw new CodedError('CONFLICT', 'no') }, { idempotent: true }), { code: 'CONFLICT' })
  t.equal(breaker.state().successCount, 1)
})

t.test('the bulkhead bounds what runs, also when nobody waits for it any more, and shedding opens nothing', async t => {
  const { breaker } = build({ concurrency: 1, timeoutMs: 30, threshold: 3 })
  let end = () => {}
  const hung = breaker.run(async () => await new Promise<void>(resolve => { end = resolve }))
  for (let i = 0; i < 5; i++) await t.rejects(breaker.run(up), { code: 'OVERLOADED', retryAfterSeconds: 1 })
  t.match(breaker.state(), { state: 'closed', rejectedCount: 5, failureCount: 0 })
  await t.rejects(hung, refused)
  await t.rejects(breaker.run(up), { code: 'OVERLOADED' })
  end()
  await until('the slot is free', async () => await breaker.run(up).then(() => true, () => false))
})

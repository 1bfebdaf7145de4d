import Fastify from 'fastify'
import t, { type Test } from 'tap'
import { breakerPlugin, type BreakerOptions } from '../../plugins/breaker.ts'
import type { Breakers } from '../../src/breakers/breakers.ts'
import { createLogCapture } from '../helpers/log-capture.ts'

const down = async (): Promise<never> => { throw new Error('down') }

async function build (t: Test, options: BreakerOptions = {}) {
  const log = createLogCapture()
  const app = Fastify({ loggerInstance: log.logger })
  t.teardown(async () => { await app.close() })
  await app.register(breakerPlugin, options)
  return { app, log }
}

t.test('a host protects calls of its own; the change of state is logged', async t => {
  const { app, log } = await build(t, { threshold: 2, resetMs: 60_000 })
  const { authServeBreakers: breakers } = app
  t.equal(await breakers.protect('billing', async ({ signal }) => signal.aborted), false)
  for (let i = 0; i < 2; i++) await t.rejects(breakers.protect('billing', down), { message: 'down' })
  await t.rejects(breakers.protect('billing', down), { code: 'SERVICE_UNAVAILABLE', retryAfterSeconds: 60 })
  t.equal(await breakers.protect('search', async () => 1), 1, 'the others go on')
  t.match(breakers.list(), [{ name: 'billing', state: 'open', rejectedCount: 1 }, { name: 'search', state: 'closed' }])
  t.match(log.lines().filter(line => line.breaker !== undefined), [{ level: 'warn', breaker: 'billing', from: 'closed', to: 'open' }])
})

t.test('policies: defaults, what code says, and what the operator says, in this order', async t => {
  const { app } = await build(t, { threshold: 3, policies: { mail: { threshold: 1 } } })
  const { authServeBreakers: breakers } = app
  const mail = breakers.policy('mail', { threshold: 10 })
  const push = breakers.policy('push', { threshold: 2 })
  await t.rejects(mail(down), { message: 'down' })
  for (let i = 0; i < 2; i++) await t.rejects(push(down), { message: 'down' })
  for (let i = 0; i < 2; i++) await t.rejects(breakers.protect('other', down), { message: 'down' })
  t.match(breakers.list(), [{ name: 'mail', state: 'open' }, { name: 'push', state: 'open' }, { name: 'other', state: 'closed' }])
  t.throws(() => breakers.policy('other'), { message: /has its policy already/ })
  t.throws(() => breakers.policy('new', { threshold: 0 }), { message: /\/threshold/ })
  await t.rejects(breakers.protect('no name', down), { message: /is no name for a breaker/ })
})

t.test('two instances live in one app under names of their own', async t => {
  const { app } = await build(t)
  await app.register(breakerPlugin, { decorator: 'otherBreakers' })
  await app.getDecorator<Breakers>('otherBreakers').protect('billing', async () => {})
  t.same(app.authServeBreakers.list(), [])
})

t.test('wrong options stop the start', async t => {
  await t.rejects(build(t, { threshold: 0, resetMs: 1 }), { message: /\/threshold.*\/resetMs/s })
  await t.rejects(build(t, { policies: { mail: { retries: 99 } } }), { message: /"mail".*\/retries/ })
})

t.test('every breaker is listed as the contract has it', async t => {
  const { app } = await build(t, { threshold: 1 })
  await app.authServeBreakers.protect('search', async () => {})
  await app.authServeBreakers.protect('billing', down).catch(() => {})
  t.match(app.authServeBreakers.list(), [
    { name: 'search', state: 'closed', failureCount: 0, successCount: 1, rejectedCount: 0, lastFailureAt: null, openedAt: null, responseTimeMs: { mean: Number, p95: Number } },
    { name: 'billing', state: 'open', failureCount: 1, successCount: 0, rejectedCount: 0, lastFailureAt: /Z$/, openedAt: /Z$/ }
  ])
})

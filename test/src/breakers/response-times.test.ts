import t from 'tap'
import { createResponseTimes } from '../../../src/breakers/response-times.ts'

t.test('mean and 95th percentile of the latest calls', async t => {
  const times = createResponseTimes(20)
  t.same(times.summary(), { mean: null, p95: null })
  times.add(3)
  t.same(times.summary(), { mean: 3, p95: 3 })
  for (let i = 0; i < 100; i++) times.add(1000)
  for (let i = 20; i >= 1; i--) times.add(i)
  t.same(times.summary(), { mean: 10.5, p95: 19 }, 'older ones are forgotten')
})

import t from 'tap'
import { rateLimitFields } from '../../../src/rate-limit/header-fields.ts'

t.test('the header fields are structured fields of the draft', async t => {
  t.same(rateLimitFields({ name: 'default', max: 100, windowSeconds: 60 }, { remaining: 50, resetSeconds: 30 }), {
    'ratelimit-policy': '"default";q=100;w=60',
    ratelimit: '"default";r=50;t=30'
  })
})

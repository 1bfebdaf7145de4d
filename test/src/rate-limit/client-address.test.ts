import t from 'tap'
import { clientAddress } from '../../../src/rate-limit/client-address.ts'

t.test('an address is told without port, brackets and zone', async t => {
  for (const [given, expected] of [
    ['192.0.2.1', '192.0.2.1'],
    ['192.0.2.1:50123', '192.0.2.1'],
    ['2001:db8::1', '2001:db8::1'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['[2001:db8::1]:443', '2001:db8::1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['::ffff:192.0.2.1', '::ffff:192.0.2.1']
  ] as const) t.equal(clientAddress(given), expected, given)
})

t.test('whatever is no address is one client', async t => {
  for (const given of [undefined, '', 'unknown', '_hidden', 'a:b:c', '[x]:1', '999.1.1.1', 'x'.repeat(10_000), '192.0.2.1, 192.0.2.2']) {
    t.equal(clientAddress(given), 'unknown')
  }
})

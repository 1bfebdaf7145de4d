import t from 'tap'
import { clientAddress, clientNetwork } from '../../../src/rate-limit/client-address.ts'

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

t.test('a client has one IPv4 address, and all of an IPv6 /64, however it is written', async t => {
  for (const [given, expected] of [
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['2001:DB8:0:0:ffff:ffff:ffff:ffff', '2001:db8:0:0::/64'],
    ['2001:0db8:0000:0001:0:0:0:0', '2001:db8:0:1::/64'],
    ['2001:db8:1:2:3::', '2001:db8:1:2::/64'],
    ['1::2:3:4:5:6', '1:0:0:2::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['64:ff9b::192.0.2.1', '64:ff9b:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['::', '0:0:0:0::/64'],
    ['not an address', 'unknown'],
    [null, 'unknown']
  ] as const) t.equal(clientNetwork(given), expected, String(given))
})

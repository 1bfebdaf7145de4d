import fc from 'fast-check'
import t from 'tap'
import { describeDevice } from '../../../src/sessions/device.ts'
import '../../helpers/property-seed.ts'

t.test('names what people use', async t => {
  for (const [userAgent, device] of [
    ['Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0', 'Firefox on Linux'],
    ['Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Safari/605.1.15', 'Safari on macOS'],
    ['Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0', 'Microsoft Edge on Windows'],
    ['Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1', 'Safari on iOS'],
    ['Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36', 'Chrome on Android'],
    ['MyApp/3 CFNetwork/1494 Darwin/23.4.0', 'MyApp'],
    ['curl/8.5.0', 'curl'],
    ['Dart/3.4 (dart:io)', 'Dart']
  ] as const) t.equal(describeDevice(userAgent), device)
})

t.test('says nothing where the user agent does', async t => {
  for (const userAgent of [null, '', ' ', 'node', 'Mozilla/5.0', '<script>/1 x', '/'.repeat(300), `${'a'.repeat(60)}/1.0`]) t.equal(describeDevice(userAgent), null, String(userAgent))
})

t.test('takes whatever a client calls itself, quickly, and shows only what looks like a name', async t => {
  const began = performance.now()
  const pieces = fc.array(fc.constantFrom('Mozilla/5.0', 'Android', 'iPhone OS ', ' like Gecko', 'Version/', '1.', '_', '(', '/', ' ', ';', 'Opera', '<b>', '\u00e9'), { maxLength: 400 }).map(parts => parts.join(''))
  fc.assert(fc.property(fc.oneof(fc.string({ maxLength: 5000 }), pieces), userAgent => {
    const device = describeDevice(userAgent)
    return device === null || /^[A-Za-z][\w .+-]{0,39}( on [A-Za-z][\w .+-]{0,39})?$/.test(device)
  }))
  t.ok(performance.now() - began < 5000)
})

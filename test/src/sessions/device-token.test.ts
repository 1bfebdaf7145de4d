import fc from 'fast-check'
import t from 'tap'
import { createSecrets } from '../../../src/keys/secrets.ts'
import { formatDeviceToken, parseDeviceToken } from '../../../src/sessions/device-token.ts'
import { createKnownDevices } from '../../../src/sessions/known-devices.ts'
import '../../helpers/property-seed.ts'

const [older, newer] = ['an-older-secret-that-is-long-enough-for-this', 'a-newer-secret-that-is-long-enough-for-this']
const secrets = createSecrets([older])
const moment = fc.integer({ min: 1, max: 8.64e15 }).filter(time => String(time).length <= 15)
const device = fc.record({
  deviceId: fc.uint8Array({ minLength: 16, maxLength: 16 }).map(bytes => Buffer.from(bytes).toString('base64url')),
  issuedAt: moment,
  expiresAt: moment
})

t.test('a device token is read as it was written, by whoever has its secret, for its account alone', async t => {
  fc.assert(fc.property(device, fc.uuid(), fc.uuid(), (device, userId, other) => {
    const token = formatDeviceToken(secrets, userId, device)
    t.same(parseDeviceToken(secrets, userId, token), device)
    t.same(parseDeviceToken(createSecrets([newer, older]), userId, token), device)
    t.equal(parseDeviceToken(createSecrets([newer]), userId, token), undefined)
    t.equal(parseDeviceToken(secrets, other, token), userId === other ? device : undefined)
    t.notOk(token.includes(userId) || token.includes(userId.replaceAll('-', '')), 'it names nobody')
  }), { numRuns: 50 })
})

t.test('whatever was changed about one makes it none, and no text is an error', async () => {
  fc.assert(fc.property(device, fc.uuid(), fc.nat(), fc.constantFrom(...'AZaz09-_.=+/ %é\0'), fc.constantFrom('replace', 'insert', 'cut'), (device, userId, at, character, how) => {
    const token = formatDeviceToken(secrets, userId, device)
    const index = at % token.length
    const changed = token.slice(0, index) + (how === 'cut' ? '' : character) + token.slice(how === 'insert' ? index : index + 1)
    return changed === token || parseDeviceToken(secrets, userId, changed) === undefined
  }), { numRuns: 2000 })
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 300 }), fc.uuid(), (text, userId) => parseDeviceToken(secrets, userId, text) === undefined))
})

t.test('fields may not be moved between tokens', async () => {
  fc.assert(fc.property(device, device, fc.uuid(), fc.integer({ min: 1, max: 5 }), (one, two, userId, field) => {
    const [first, second] = [one, two].map(device => formatDeviceToken(secrets, userId, device).split('.'))
    const mixed = first?.map((part, n) => n === field ? second?.[n] : part).join('.') ?? ''
    return mixed === first?.join('.') || parseDeviceToken(secrets, userId, mixed) === undefined
  }))
})

t.test('a device is known from its login until its token expires, and not from before the account was recovered', async t => {
  let now = 1_800_000_000_000
  const devices = createKnownDevices({ secrets, clock: { now: () => now }, ttlSeconds: 60 })
  const [id, loginAt] = ['01920000-0000-7000-8000-000000000001', new Date(now)]
  const token = devices.issue(id, undefined, loginAt)
  const knownSince = (devicesKnownSince: Date | null) => devices.recognise({ id, devicesKnownSince }, token)
  const deviceId = knownSince(null)
  t.match(deviceId, /^[\w-]{22}$/)
  t.equal(knownSince(loginAt), deviceId, 'recovered at that very moment: the login came after it')
  t.equal(knownSince(new Date(now + 1)), undefined)
  t.equal(devices.recognise({ id, devicesKnownSince: null }, undefined), undefined)
  t.equal(devices.recognise({ id, devicesKnownSince: null }, devices.issue(id, deviceId, loginAt)), deviceId)
  now += 59_999
  t.equal(knownSince(null), deviceId)
  now += 1
  t.equal(knownSince(null), undefined)
})

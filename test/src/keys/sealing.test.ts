import t from 'tap'
import { seal, unseal, UnsealError } from '../../../src/keys/sealing.ts'
import { createSecrets } from '../../../src/keys/secrets.ts'

const [old, current] = ['an-old-secret-of-more-than-32-characters', 'a-new-secret-of-more-than-32-characters']

t.test('a sealed text opens under its context and secret only', async t => {
  const secrets = createSecrets([current])
  const sealed = seal(secrets, 'signing-key', 'kid-1', 'plain text')
  t.match(sealed, /^v1\.[\w-]{8}\.[\w-]{16}\.[\w-]{22}\.[\w-]+$/)
  t.notMatch(sealed, /plain/)
  t.not(seal(secrets, 'signing-key', 'kid-1', 'plain text'), sealed)
  t.equal(unseal(secrets, 'signing-key', 'kid-1', sealed), 'plain text')
  t.throws(() => unseal(secrets, 'signing-key', 'kid-2', sealed), UnsealError)
  t.throws(() => unseal(secrets, 'login-attempt', 'kid-1', sealed), UnsealError)
  t.throws(() => unseal(createSecrets([old]), 'signing-key', 'kid-1', sealed), UnsealError)
  for (const broken of ['', 'v1', sealed.replace('v1', 'v2'), sealed.slice(0, -2), `${sealed}.x`.replace(/\.[^.]+\.x$/, '.AAAA')]) {
    t.throws(() => unseal(secrets, 'signing-key', 'kid-1', broken), UnsealError, broken)
  }
  const parts = sealed.split('.')
  const shortTag = [...parts.slice(0, 3), parts[3]?.slice(0, 6), parts[4]].join('.')
  t.throws(() => unseal(secrets, 'signing-key', 'kid-1', shortTag), UnsealError, 'a shortened tag')
})

t.test('a rolling change of secret keeps what was sealed before', async t => {
  const sealed = seal(createSecrets([old]), 'signing-key', 'k', 'text')
  t.equal(unseal(createSecrets([old, current]), 'signing-key', 'k', sealed), 'text')
  t.equal(unseal(createSecrets([current, old]), 'signing-key', 'k', sealed), 'text')
  t.throws(() => unseal(createSecrets([current]), 'signing-key', 'k', sealed), UnsealError)
})

t.test('no secret at all is a mistake', async t => {
  t.throws(() => createSecrets([]), RangeError)
})

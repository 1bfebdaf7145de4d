import fc from 'fast-check'
import t from 'tap'
import { createPasswordPolicy, type PasswordContext } from '../../../src/passwords/policy.ts'

const policy = createPasswordPolicy()
const codes = async (password: string, context?: PasswordContext) => (await policy.check(password, '/body/password', context)).map(error => error.code)

t.test('every problem has the path of the caller, a code and a message for people', async t => {
  t.same(await policy.check('short', '/body/newPassword'), [
    { path: '/body/newPassword', code: 'too_short', message: 'Use at least 8 characters.' }
  ])
})

t.test('length is counted in code points of the NFC form', async t => {
  t.same(await codes('a'.repeat(7)), ['too_short'])
  t.same(await codes('a'.repeat(8)), [])
  t.same(await codes('🙂'.repeat(7)), ['too_short'])
  t.same(await codes('🙂'.repeat(8)), [])
  t.same(await codes('e\u0301'.repeat(7)), ['too_short'], 'fourteen code points, seven after NFC')
  t.same(await codes('🙂'.repeat(128)), [])
  t.same(await codes('e\u0301'.repeat(128)), [])
  t.same(await codes('🙂'.repeat(129)), ['too_long'])
  t.same(await codes(''), ['too_short'])
})

t.test('lengths are configurable and must leave a choice', async t => {
  const strict = createPasswordPolicy({ minLength: 15, maxLength: 64 })
  t.match(await strict.check('a'.repeat(14), '/p'), [{ code: 'too_short', message: /15/ }])
  t.same(await strict.check('a'.repeat(15), '/p'), [])
  t.match(await strict.check('a'.repeat(65), '/p'), [{ code: 'too_long', message: /64/ }])
  t.throws(() => createPasswordPolicy({ minLength: 200 }), /minLength \(200\) must not be more than maxLength \(128\)/)
})

t.test('NUL and lone surrogates are refused, and nothing else is said then', async t => {
  for (const password of ['\0', 'password\0rest', 'password\ud83d', '\ude42password', 'a\ud83d']) {
    t.same(await codes(password, { email: 'ada@example.com' }), ['bad_text'])
  }
})

t.test('there are no composition rules; spaces and any characters are welcome', async t => {
  for (const password of ['aaaaaaaa', 'correct horse battery staple', '        ', 'пароль-пароль', '密码密码密码密码']) {
    t.same(await codes(password, { email: 'ada@example.com', username: 'countess' }), [])
  }
})

t.test('the e-mail address and its local part are refused, in any case', async t => {
  const context = { email: 'Ada.Lovelace@example.com' }
  t.same(await codes('xxada.lovelace@EXAMPLE.comxx', context), ['contains_email'])
  t.same(await codes('i am ADA.LOVELACE!', context), ['contains_email'])
  t.same(await codes('i love lace and ada', context), [])
  t.same(await codes('quoted "b@d"@example.com', { email: '"b@d"@example.com' }), ['contains_email'])
})

t.test('local parts and usernames below four characters are not looked for', async t => {
  t.same(await codes('canada geese', { email: 'ada@example.com', username: 'ada' }), [])
  t.same(await codes('ada@example.com1', { email: 'ada@example.com' }), ['contains_email'], 'the whole address is')
  t.same(await codes('canadada geese', { username: 'nada' }), ['contains_username'])
})

t.test('the username and the name of the service are refused, in any case and any Unicode spelling', async t => {
  t.same(await codes('my-COUNTESS-pw', { username: 'Countess' }), ['contains_username'])
  t.same(await codes('re\u0301mi-the-cook', { username: 'r\u00e9mi' }), ['contains_username'])
  t.same(await codes('my Auth-Serve password'), ['contains_service_name'])
})

t.test('all that is wrong is said at once', async t => {
  t.same(await codes('ada5', { email: 'ada5@example.com', username: 'ADA5' }), ['too_short', 'contains_email', 'contains_username'])
})

t.test('absent and empty words are in nothing', async t => {
  for (const context of [{}, { email: '', username: '' }, { email: null, username: null }, { email: 'no-at-sign' }, { email: '@example.com' }]) {
    t.same(await codes('correct horse battery', context), [])
  }
})

t.test('whatever the text, the answer does not depend on its Unicode spelling', async () => {
  await fc.assert(fc.asyncProperty(fc.string({ unit: 'binary' }), fc.emailAddress(), async (password, email) =>
    (await codes(password.normalize('NFD'), { email })).join() === (await codes(password, { email })).join()))
})

import fc from 'fast-check'
import t from 'tap'
import { dictionary } from '@zxcvbn-ts/language-common'
import { createEstimator, estimatorDefaults } from '../../../src/passwords/estimator.ts'
import { createPasswordPolicy, type PasswordPolicyOptions } from '../../../src/passwords/policy.ts'
import type { PasswordContext } from '../../../src/passwords/rules.ts'

const estimator = createEstimator()
t.teardown(estimator.close)
const policyOf = (options: PasswordPolicyOptions = {}) => createPasswordPolicy(options, { estimator })
const codesBy = (options: PasswordPolicyOptions) => {
  const policy = policyOf(options)
  return async (password: string, context?: PasswordContext) => (await policy.check(password, '/body/password', context)).map(error => error.code)
}
const codes = codesBy({})
/** The rules beside the estimate, which has a say in nearly everything. */
const plainCodes = codesBy({ minStrength: 0 })

t.test('every problem has the path of the caller, a code and a message for people', async t => {
  t.same(await policyOf({ minStrength: 0 }).check('shor7', '/body/newPassword'), [
    { path: '/body/newPassword', code: 'too_short', message: 'Use at least 8 characters.' }
  ])
})

t.test('length is counted in code points of the NFC form', async t => {
  t.same(await plainCodes('b'.repeat(7)), ['too_short'])
  t.same(await plainCodes('b'.repeat(8)), [])
  t.same(await plainCodes('🙂'.repeat(7)), ['too_short'])
  t.same(await plainCodes('🙂'.repeat(8)), [])
  t.same(await plainCodes('e\u0301'.repeat(7)), ['too_short'], 'fourteen code points, seven after NFC')
  t.same(await plainCodes('🙂'.repeat(128)), [])
  t.same(await plainCodes('e\u0301'.repeat(128)), [])
  t.same(await plainCodes('🙂'.repeat(129)), ['too_long'])
  t.same(await plainCodes(''), ['too_short'])
})

t.test('lengths are configurable and must leave a choice', async t => {
  const strict = policyOf({ minLength: 15, maxLength: 64, minStrength: 0 })
  t.match(await strict.check('b'.repeat(14), '/p'), [{ code: 'too_short', message: /15/ }])
  t.same(await strict.check('b'.repeat(15), '/p'), [])
  t.match(await strict.check('b'.repeat(65), '/p'), [{ code: 'too_long', message: /64/ }])
  t.throws(() => policyOf({ minLength: 200 }), /minLength \(200\) must not be more than maxLength \(128\)/)
})

t.test('NUL and lone surrogates are refused, and nothing else is said then', async t => {
  for (const password of ['\0', 'password\0rest', 'password\ud83d', '\ude42password', 'a\ud83d']) {
    t.same(await codes(password, { email: 'ada@example.com' }), ['bad_text'])
  }
})

t.test('there are no composition rules; spaces and any characters are welcome', async t => {
  for (const password of ['correct horse battery staple', 'пароль длинный и редкий', '密码不要太简单', 'the engine weaves algebra', '🦉🍲🛶🎻🪐🧵🐢🌵']) {
    t.same(await codes(`${password} 🙂`, { email: 'ada@example.com', username: 'countess' }), [])
  }
})

t.test('kinds of characters that are demanded are found in any script, and each that is missing is named', async t => {
  const strict = codesBy({ require: ['lower', 'upper', 'digit', 'symbol'], minStrength: 0 })
  t.same(await strict('         '), ['missing_lower', 'missing_upper', 'missing_digit', 'missing_symbol'])
  t.same(await strict('lowercaseonly'), ['missing_upper', 'missing_digit', 'missing_symbol'])
  t.same(await strict('Straße und Brücke!'), ['missing_digit'])
  t.same(await strict('ПРИВЕТ, МИР 7'), ['missing_lower'])
  t.same(await strict('Ωμέγα ٣ ≠ ४'), [], 'Greek letters, Arabic and Devanagari digits, a sign of mathematics')
  t.same(await strict('E\u0301COLE 5 € e\u0301'), [], 'accents that NFC joins')
  t.same(await codesBy({ require: ['digit'] })('the engine weaves algebra'), ['missing_digit'])
})

t.test('passwords that are tried first are refused in any case, whatever the estimate says', async t => {
  for (const password of ['password1', 'PassWord1', 'QWERTYUIOP', '1234567890', 'Iloveyou1', 'trustno1']) {
    t.same(await plainCodes(password), ['common'], password)
    t.ok((await codes(password)).includes('too_weak'), password)
  }
  const passwords = dictionary['passwords-common']
  t.ok(passwords.filter(password => password.length >= 8).length >= 10_000, 'of an acceptable length, too')
})

t.test('what is easy to guess is refused with advice', async t => {
  const weak: Array<[string, RegExp]> = [
    ['aaaaaaaaaaaa', /Repeated characters like "aaa" are easy to guess\..*Avoid repeated words and characters/],
    ['abcdefghijklm', /Common character sequences like "abc" are easy to guess/],
    ['zxcvbnm,./', /Straight rows of keys/],
    ['P4ssw0rd!!', /Add more words that are less common\./],
    ['drowssap12', /too easy to guess/],
    ['14.07.1989', /Dates are easy to guess/],
    ['monday tuesday 1', /Avoid common character sequences/],
    ['monkeydragon', /Add more words/]
  ]
  for (const [password, message] of weak) {
    const told = await policyOf().check(password, '/p')
    t.match(told.find(({ code }) => code === 'too_weak'), { path: '/p', message }, password)
  }
  t.match(await policyOf({ minStrength: 4 }).check('correct horse', '/p'), [{ code: 'too_weak', message: 'This password is too easy to guess. Add more words that are less common.' }])
  t.same(await codes('correct horse'), [])
})

t.test('words of the account are worth nothing in an estimate', async t => {
  const context = { email: 'ada@babbage-works.example', firstName: 'Wilhelmina', lastName: 'Þórðardóttir' }
  t.same(await codes('Wilhelmina-Þórðardóttir', context), ['too_weak'])
  t.same(await codes('babbage-works1', context), ['too_weak'])
  t.same(await codes('Wilhelmina-Þórðardóttir'), [])
  t.same(await codes('babbage-works1'), [])
})

t.test('a long password is judged by its first 64 code points', async t => {
  const random = 'jVq7#wZt2!mKx9@rLb4$hYn6%cFd8^gSp3&'
  t.same(await codes('ab'.repeat(32) + random), ['too_weak'])
  t.same(await codes(random + 'ab'.repeat(32)), [])
})

t.test('the e-mail address and its local part are refused, in any case', async t => {
  const context = { email: 'Ada.Lovelace@example.com' }
  t.same(await plainCodes('xxada.lovelace@EXAMPLE.comxx', context), ['contains_email'])
  t.same(await plainCodes('i am ADA.LOVELACE!', context), ['contains_email'])
  t.same(await plainCodes('i love lace and ada', context), [])
  t.same(await plainCodes('quoted "b@d"@example.com', { email: '"b@d"@example.com' }), ['contains_email'])
})

t.test('local parts and usernames below four characters are not looked for', async t => {
  t.same(await plainCodes('canada geese', { email: 'ada@example.com', username: 'ada' }), [])
  t.same(await plainCodes('ada@example.com1', { email: 'ada@example.com' }), ['contains_email'], 'the whole address is')
  t.same(await plainCodes('canadada geese', { username: 'nada' }), ['contains_username'])
})

t.test('the username and the names of the service are refused, in any case and any Unicode spelling', async t => {
  t.same(await plainCodes('my-COUNTESS-pw', { username: 'Countess' }), ['contains_username'])
  t.same(await plainCodes('re\u0301mi-the-cook', { username: 'r\u00e9mi' }), ['contains_username'])
  t.same(await plainCodes('my Auth-Serve password'), ['contains_service_name'])
  const branded = policyOf({ serviceNames: ['auth-serve', 'Loom & Co'] })
  t.match(await branded.check('entrance to LOOM & CO by night', '/p'), [{ code: 'contains_service_name', message: /"Loom & Co"/ }])
})

t.test('all that is wrong is said at once', async t => {
  t.same(await codesBy({ require: ['upper'] })('ada5', { email: 'ada5@example.com', username: 'ADA5' }), ['too_short', 'missing_upper', 'contains_email', 'contains_username', 'too_weak'])
})

t.test('absent and empty words are in nothing', async t => {
  for (const context of [{}, { email: '', username: '' }, { email: null, username: null, firstName: null }, { email: 'no-at-sign', lastName: '' }, { email: '@example.com' }]) {
    t.same(await codes('correct horse battery', context), [])
  }
})

t.test('whatever the text, there is an answer, and it does not depend on the Unicode spelling', async () => {
  const anyText = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary', minLength: 64, maxLength: 90 }), fc.constantFrom('constructor', '__proto__', 'toString', 'hasOwnProperty'))
  await fc.assert(fc.asyncProperty(anyText, fc.emailAddress(), async (password, email) =>
    (await codes(password.normalize('NFD'), { email })).join() === (await codes(password, { email })).join()), { numRuns: 40 })
})

t.test('nothing of the list is accepted in any case', async () => {
  const cased = fc.constantFrom(...dictionary['passwords-common']).chain(password =>
    fc.tuple(...[...password].map(letter => fc.constantFrom(letter.toLowerCase(), letter.toUpperCase()))).map(letters => letters.join('')))
  await fc.assert(fc.asyncProperty(cased, async password => (await plainCodes(password)).includes('common')), { numRuns: 200 })
})

t.test('one thread judges one password at a time, and gives its memory back when nobody asks', async t => {
  const password = 'the engine weaves algebra'
  const narrow = createEstimator({ ...estimatorDefaults, queue: 2, idleMs: 10 })
  t.teardown(narrow.close)
  const answers = await Promise.allSettled(Array.from({ length: 5 }, async () => await narrow.estimate({ password, words: [] })))
  t.same(answers.map(({ status }) => status), ['fulfilled', 'fulfilled', 'fulfilled', 'rejected', 'rejected'])
  t.match(answers[4], { reason: { code: 'OVERLOADED', retryAfterSeconds: 1 } })
  await narrow.close()
  t.match(await narrow.estimate({ password, words: [] }), { common: false, score: 4 }, 'a new thread is started')
})

t.test('a password that cannot be judged is not accepted', async t => {
  const hasty = createEstimator({ ...estimatorDefaults, timeoutMs: 1 })
  t.teardown(hasty.close)
  const policy = createPasswordPolicy({}, { estimator: hasty })
  await t.rejects(policy.check('the engine weaves algebra', '/p'), { code: 'SERVICE_UNAVAILABLE', retryAfterSeconds: 1 })
  const closed = createEstimator()
  const asked = closed.estimate({ password: 'the engine weaves algebra', words: [] })
  await closed.close()
  await t.rejects(asked, { code: 'SERVICE_UNAVAILABLE' })
})

import t from 'tap'
import { createCompleteRegistrationErrors } from '../../../src/accounts/registration-errors.ts'
import { invalidInput } from '../../../src/errors.ts'
import { createPasswordPolicy } from '../../../src/passwords/policy.ts'

t.test('fields that are wrong are context of the password, but texts without end cost the estimator nothing', async t => {
  const asked: string[] = []
  const passwords = createPasswordPolicy({}, {
    estimator: {
      async estimate ({ words }) {
        asked.push(...words)
        return { common: false, score: 4, advice: [] }
      }
    }
  })
  const complete = createCompleteRegistrationErrors({ passwords })
  const wrong = invalidInput([{ path: '/body/email', code: 'format', message: 'Give an e-mail address.' }])
  const words = Array.from({ length: 100_000 }, (_none, index) => `w${index}`).join('.')
  const error = await complete(wrong, { email: 'marbles@example', firstName: words, lastName: words, password: 'quiet marbles over hills' })
  t.match(error, { errors: [{ path: '/body/email' }, { path: '/body/password', code: 'contains_email' }] })
  t.ok(asked.includes('marbles'))
  t.ok(asked.length < 20)
})

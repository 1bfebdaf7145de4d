import t from 'tap'
import { loadConfig } from '../../src/config.ts'
import { exampleSecret } from '../../src/config/declaration.ts'
import { generateSecret } from '../../src/config/secret-file.ts'
import { problemsOf } from '../helpers/config-problems.ts'

const secret = generateSecret()
const production = { NODE_ENV: 'production', AUTH_SECRET: secret, DATA_DIR: '/var/lib/auth-serve' }

t.test('production refuses missing, known and short secrets and implicit storage', async t => {
  t.strictSame(problemsOf(production), [])
  t.strictSame(problemsOf({ ...production, DATA_DIR: '', DATABASE_URL: 'postgres://db/accounts' }), [])
  t.strictSame(problemsOf({ ...production, AUTH_SECRET: `secret-${generateSecret()}` }), [], 'a prefix before a good one is no offence')
  t.match(problemsOf({ NODE_ENV: 'production' }), [/AUTH_SECRET is missing/, /DATABASE_URL and DATA_DIR are both missing/])
  t.match(problemsOf({ ...production, ARGON2_MEMORY_KIB: '7168', ARGON2_TIME_COST: '4' }), [/at least 9216/])
  t.strictSame(problemsOf({ ...production, ARGON2_MEMORY_KIB: '7168', ARGON2_TIME_COST: '9' }), [])

  const weak: Array<[value: string, says: RegExp]> = [
    [exampleSecret, /known words/],
    ['changeme', /shorter than 32/],
    ['ChangeMe-ChangeMe-ChangeMe-ChangeMe-', /known words/],
    ['secret-secret-secret-secret-secret', /known words/],
    ['a'.repeat(64), /repeated characters/],
    ['k3Vx9!pQzR7m'.repeat(4), /repetition/],
    [`${secret},`, /entry 2, is shorter/],
    [`${secret},${exampleSecret}`, /entry 2, is an example/]
  ]
  for (const [value, says] of weak) {
    const problems = problemsOf({ ...production, AUTH_SECRET: value })
    t.match(problems, [says])
    t.equal(problems.length, 1)
  }
  t.match(loadConfig({ AUTH_SECRET: exampleSecret }).tokens.secrets, [exampleSecret], 'development takes a readable one')
})

t.test('generated secrets pass the production rules and never repeat', async t => {
  const many = Array.from({ length: 200 }, () => generateSecret())
  t.equal(new Set(many).size, many.length)
  t.strictSame(problemsOf({ ...production, AUTH_SECRET: many.join(',') }), [])
  t.equal(Buffer.from(many[0] ?? '', 'base64url').length, 32)
})

import Fastify from 'fastify'
import t from 'tap'
import { passwordsPlugin, type AuthServePasswords } from '../../plugins/passwords.ts'

const cheap = { memoryKib: 1024, timeCost: 1 }

t.test('decorates hashing, verifying and the policy, and says once which engine works', async t => {
  const lines: string[] = []
  const app = Fastify({ logger: { stream: { write: (line: string) => { lines.push(line) } } } })
  t.teardown(() => app.close())
  await app.register(passwordsPlugin, { ...cheap, engine: 'argon2', concurrency: 2, queue: 7, minLength: 10 })
  await app.ready()

  const passwords = app.authServePasswords
  const hash = await passwords.hash('correct horse')
  t.match(hash, /^\$argon2id\$v=19\$m=1024,t=1,p=1\$/)
  t.equal(await passwords.verify(hash, 'correct horse'), true)
  t.equal(await passwords.verify(undefined, 'correct horse'), false)
  t.equal(passwords.needsRehash(hash), false)
  t.match(await passwords.check('nine char', '/body/password'), [{ code: 'too_short' }])
  t.same(passwords.stats(), { active: 0, queued: 0, concurrency: 2, queue: 7, total: 3 })
  t.equal(passwords.engineName, 'argon2')

  const said = lines.filter(line => line.includes('passwords are hashed by argon2'))
  t.equal(said.length, 1)
  t.match(JSON.parse(said[0] ?? '{}'), { level: 30, msg: /m=1024, t=1, p=1/ })
  t.notOk(lines.join('').includes('correct horse'))
})

t.test('two instances live in one app under names of their own', async t => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(passwordsPlugin, cheap)
  await app.register(passwordsPlugin, { ...cheap, timeCost: 2, decorator: 'staffPasswords' })
  const staff = app.getDecorator<AuthServePasswords>('staffPasswords')
  t.equal(staff.needsRehash(await app.authServePasswords.hash('correct horse')), true)
})

t.test('options that are wrong stop the start and are named', async t => {
  const wrong: Array<[object, RegExp]> = [
    [{ minLength: 7 }, /minLength/],
    [{ maxLength: 63 }, /maxLength/],
    [{ minLength: 200 }, /minLength \(200\) must not be more than maxLength/],
    [{ memoryKib: 8, timeCost: 0 }, /memoryKib.*timeCost/],
    [{ engine: 'scrypt' }, /engine/],
    [{ concurrency: 4 }, /libuv thread pool/],
    [{ memoryCost: 19456 }, /memoryCost/]
  ]
  for (const [options, message] of wrong) {
    const app = Fastify()
    t.teardown(() => app.close())
    await t.rejects(async () => await app.register(passwordsPlugin, options), { message })
  }
})

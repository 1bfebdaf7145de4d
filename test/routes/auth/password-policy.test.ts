import { createHash } from 'node:crypto'
import t from 'tap'
import { createTestApp, type TestApp } from '../../helpers/app.ts'
import { startHttpServer } from '../../helpers/http-server.ts'
import { goodPassword, newEmail, post, signUp } from '../../helpers/people.ts'

const sha1 = (text: string): string => createHash('sha1').update(text, 'utf8').digest('hex').toUpperCase()
const leaked = 'patterns as the loom weaves flowers'
const cheap = { memoryKib: 1024, timeCost: 1, parallelism: 1 }

const problems = (response: { json(): { errors: { path: string, code: string, message: string }[] } }) => response.json().errors
const breakerOf = (api: TestApp) => api.scope.authServeBreakers.list().find(({ name }) => name === 'breach-check')

t.test('a weak password is refused with everything that is wrong, and with advice', async t => {
  const api = await createTestApp(t, { passwords: { ...cheap, require: ['upper', 'digit'], serviceNames: ['loomworks'] } })

  t.test('POST /auth/register', async t => {
    const response = await post(api, '/auth/register', { email: 'ada.lovelace@example.com', username: 'countess', password: 'dragon' })
    t.equal(response.statusCode, 422)
    t.match(problems(response), [
      { path: '/body/password', code: 'too_short', message: 'Use at least 8 characters.' },
      { path: '/body/password', code: 'missing_upper', message: 'Use an upper-case letter.' },
      { path: '/body/password', code: 'missing_digit', message: 'Use a digit.' },
      { path: '/body/password', code: 'common', message: /tried first/ },
      { path: '/body/password', code: 'too_weak', message: 'This password is too easy to guess. This is a heavily used password. Add more words that are less common.' }
    ])
    const named = await post(api, '/auth/register', { email: 'ada.lovelace@example.com', username: 'countess', password: 'countess of loomworks 1' })
    t.same(problems(named).map(({ code }) => code), ['missing_upper', 'contains_username', 'contains_service_name'])
  })

  t.test('POST /auth/register: beside what the schema finds', async t => {
    const response = await post(api, '/auth/register', { email: 'nobody', firstName: 'Wilhelmina', lastName: 'Murray', password: 'WilhelminaMurray1' })
    t.same(problems(response).map(({ path, code }) => `${path} ${code}`).sort(), ['/body/email format', '/body/password too_weak'])
  })

  t.test('POST /users/me/password', async t => {
    const currentPassword = 'The engine weaves algebra 7'
    const email = newEmail()
    t.equal((await post(api, '/auth/register', { email, password: currentPassword })).statusCode, 201)
    const { accessToken } = (await post(api, '/auth/login', { email, password: currentPassword })).json()
    const response = await post(api, '/users/me/password', { currentPassword, newPassword: 'AAAAAAAA1' }, { authorization: `Bearer ${accessToken}` })
    t.equal(response.statusCode, 422)
    t.match(problems(response).filter(({ code }) => code === 'too_weak'), [{ path: '/body/newPassword', message: /Repeated characters/ }])
  })
})

t.test('with PASSWORD_BREACH_URL', async t => {
  const asked: string[] = []
  const server = await startHttpServer(t, ({ url = '' }, response) => {
    asked.push(url)
    response.end(`${sha1(leaked).slice(5)}:7\r\n${sha1(goodPassword).slice(5)}:0\r\n`)
  })
  const api = await createTestApp(t, { passwords: { ...cheap, breachUrl: `${server.url}/range/`, breachTimeoutMs: 30_000 }, breakers: { threshold: 3, resetMs: 60_000 } })
  const register = async (password: string) => await post(api, '/auth/register', { email: newEmail(), password })

  t.test('a breached password is refused at registration and at a change; one that local rules refuse is not looked up', async t => {
    const response = await register(leaked)
    t.equal(response.statusCode, 422)
    t.match(problems(response), [{ path: '/body/password', code: 'breached', message: /data breach/ }])
    t.equal((await register('password1')).statusCode, 422)
    t.same(asked, [`/range/${sha1(leaked).slice(0, 5)}`])
    const person = await signUp(api)
    const change = await post(api, '/users/me/password', { currentPassword: goodPassword, newPassword: leaked }, person.authorization)
    t.match(problems(change), [{ path: '/body/newPassword', code: 'breached' }])
    t.same(asked, [leaked, goodPassword].map(password => `/range/${sha1(password).slice(0, 5)}`), 'signing in looks nothing up, and a range is asked for once')
  })

  t.test('while it is away registration answers 201, the breaker opens, and then nobody waits', async t => {
    server.answer((_request, response) => { response.writeHead(500).end() })
    const before = server.count()
    const passwords = Array.from({ length: 6 }, (_, i) => `${goodPassword} again ${'xyzuvw'[i]}`)
    for (const password of passwords) t.equal((await register(password)).statusCode, 201)
    t.equal(server.count() - before, 3)
    t.match(breakerOf(api), { state: 'open', failureCount: 3, rejectedCount: 3 })
    const told = api.log.lines().filter(({ msg }) => msg === 'a new password was accepted without asking whether it was breached')
    t.same(told.map(({ level, reason }) => [level, reason]), [
      ...Array.from({ length: 3 }, () => ['warn', 'the answer has status 500']),
      ...Array.from({ length: 3 }, () => ['warn', 'the circuit breaker is open'])
    ])
    t.match((await register(leaked)).json().errors, [{ code: 'breached' }], 'what is remembered is known all the same')
  })

  t.test('neither a password nor its hash, nor the part of it that was asked for, is in the log', async t => {
    for (const password of [leaked, goodPassword]) {
      t.notOk(api.log.text().includes(password))
      t.notOk(api.log.text().toUpperCase().includes(sha1(password).slice(0, 5)))
      t.notOk(api.log.text().toUpperCase().includes(sha1(password).slice(5)))
    }
  })
})

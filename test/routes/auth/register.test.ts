import t from 'tap'
import { createTestApp } from '../../helpers/app.ts'
import { connect } from '../../helpers/database.ts'
import { goodPassword, newEmail, post } from '../../helpers/people.ts'

const uuidv7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

t.test('POST /auth/register', async t => {
  const api = await createTestApp(t)
  const sql = connect(api.database)
  t.teardown(async () => { await sql.end() })
  const fields = (response: { json(): { errors: { path: string, code: string }[] } }) =>
    response.json().errors.map(({ path, code }) => `${path} ${code}`).sort()

  t.test('201 with the user and where to read it', async t => {
    const email = 'Ada.Lovelace@Example.com'
    const response = await post(api, '/auth/register', { email, password: goodPassword, username: 'Ada', firstName: 'Ada', lastName: 'Lovelace' })
    t.equal(response.statusCode, 201)
    t.equal(response.headers.location, '/api/v1/users/me')
    const user = response.json()
    t.match(user, { id: uuidv7, email, emailVerified: false, username: 'Ada', firstName: 'Ada', lastName: 'Lovelace', roles: ['user'], isActive: true, lastLoginAt: null })
    t.notMatch(response.body, /password|hash/i)
  })

  t.test('the row holds an argon2id hash and the change an audit event', async t => {
    const email = newEmail()
    const { id } = (await post(api, '/auth/register', { email, password: goodPassword })).json()
    const [row] = await sql`select * from users where id = ${id}`
    t.match(row?.password_hash, /^\$argon2id\$v=19\$/)
    const events = await sql`select type, outcome, request_id from audit_events where target_id = ${id}`
    t.match([...events], [{ type: 'user_created', outcome: 'success', request_id: /./ }])
  })

  t.test('absent names are null', async t => {
    const user = (await post(api, '/auth/register', { email: newEmail(), password: goodPassword })).json()
    t.match(user, { username: null, firstName: null, lastName: null })
  })

  t.test('409 names what is taken, whatever the case', async t => {
    const email = newEmail()
    await post(api, '/auth/register', { email, password: goodPassword, username: 'Grace' })
    const both = await post(api, '/auth/register', { email: email.toUpperCase(), password: goodPassword, username: 'gRACE' })
    t.equal(both.statusCode, 409)
    t.equal(both.json().code, 'USER_ALREADY_EXISTS')
    t.same(fields(both), ['/body/email taken', '/body/username taken'])
    const name = await post(api, '/auth/register', { email: newEmail(), password: goodPassword, username: 'grace' })
    t.same(fields(name), ['/body/username taken'])
  })

  t.test('422 names every wrong field and writes nothing', async t => {
    const [before] = await sql`select count(*)::int as n from users`
    const response = await post(api, '/auth/register', { email: 'nobody', password: 7, username: '-x', firstName: '', nickname: 'n' })
    t.equal(response.statusCode, 422)
    t.equal(response.json().code, 'INVALID_INPUT')
    t.same(fields(response).map(field => field.split(' ')[0]), ['/body/email', '/body/firstName', '/body/nickname', '/body/password', '/body/username', '/body/username'])
    const [after] = await sql`select count(*)::int as n from users`
    t.equal(after?.n, before?.n)
  })

  t.test('422 for a password that is too short, too long or names its owner', async t => {
    const email = 'margaret.hamilton@example.com'
    for (const [password, code] of [['kxq7', 'too_short'], ['the engine weaves algebra '.repeat(5), 'too_long'], ['the engine of margaret.hamilton', 'contains_email']] as const) {
      const response = await post(api, '/auth/register', { email, password })
      t.equal(response.statusCode, 422, password)
      t.ok(fields(response).includes(`/body/password ${code}`))
    }
  })

  t.test('422 for NUL and lone surrogates wherever text is taken', async t => {
    for (const field of ['email', 'password', 'username', 'firstName', 'lastName']) {
      for (const text of ['a\\u0000aaaaaaaa', 'a\\ud800aaaaaaaa']) {
        const body = { email: newEmail(), password: goodPassword, [field]: '@@' }
        const response = await post(api, '/auth/register', JSON.stringify(body).replace('@@', text))
        t.equal(response.statusCode, 422, `${field} ${text}`)
        t.equal(fields(response)[0]?.split(' ')[0], `/body/${field}`)
      }
    }
  })

  t.test('50 registrations of one address at once make one row', async t => {
    const email = newEmail()
    const responses = await Promise.all(Array.from({ length: 50 }, async () => await post(api, '/auth/register', { email, password: goodPassword })))
    const statuses = responses.map(response => response.statusCode).sort()
    t.equal(statuses.filter(status => status === 201).length, 1)
    t.equal(statuses.filter(status => status === 409).length, 49)
    const [row] = await sql`select count(*)::int as n from users where email_canonical = ${email}`
    t.equal(row?.n, 1)
    const [events] = await sql`select count(*)::int as n from audit_events a join users u on u.id = a.target_id where u.email_canonical = ${email}`
    t.equal(events?.n, 1)
  })

  t.test('the name of a deleted account is free again', async t => {
    const email = newEmail()
    const { id } = (await post(api, '/auth/register', { email, password: goodPassword, username: 'phoenix' })).json()
    await sql`update users set deleted_at = now() where id = ${id}`
    const again = await post(api, '/auth/register', { email, password: goodPassword, username: 'Phoenix' })
    t.equal(again.statusCode, 201)
    t.not(again.json().id, id)
  })
})

t.test('POST /auth/register: 503 OVERLOADED beyond the queue of hashes', async t => {
  const api = await createTestApp(t, { passwords: { memoryKib: 19456, concurrency: 1, queue: 1 } })
  const responses = await Promise.all(Array.from({ length: 8 }, async () => await post(api, '/auth/register', { email: newEmail(), password: goodPassword })))
  const statuses = new Set(responses.map(response => response.statusCode))
  t.same([...statuses].sort(), [201, 503])
  t.equal(responses.find(response => response.statusCode === 503)?.json().code, 'OVERLOADED')
})

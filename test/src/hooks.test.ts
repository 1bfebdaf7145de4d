import t from 'tap'
import { CodedError, type EventHookCall, type Hooks, type UserHookCall } from '../../src/index.ts'
import { createEventHooks } from '../../src/hooks/event-hooks.ts'
import { createTestApp } from '../helpers/app.ts'
import { connect } from '../helpers/database.ts'
import { signUpAdmin } from '../helpers/keys.ts'
import { goodPassword, newEmail, post, refresh, signIn, signUp } from '../helpers/people.ts'

/** Hooks that do what the test at hand sets. */
interface Switch {
  hooks: Required<Hooks>
  calls: (UserHookCall & { hook: string })[]
  events: EventHookCall[]
  act: (hook: string, call: UserHookCall) => unknown
  actOnEvent: (call: EventHookCall) => unknown
}

function createSwitch (timeoutMs: number): Switch {
  const hook = (name: string) => async (call: UserHookCall) => {
    made.calls.push({ hook: name, ...call })
    await made.act(name, call)
  }
  const onEvent = async (call: EventHookCall): Promise<void> => {
    made.events.push(call)
    await made.actOnEvent(call)
  }
  const made: Switch = {
    calls: [],
    events: [],
    act: () => {},
    actOnEvent: () => {},
    hooks: {
      beforeUserCreated: hook('beforeUserCreated'),
      onUserCreated: hook('onUserCreated'),
      beforeUserUpdated: hook('beforeUserUpdated'),
      onUserUpdated: hook('onUserUpdated'),
      beforeUserDeleted: hook('beforeUserDeleted'),
      onUserDeleted: hook('onUserDeleted'),
      beforeLogin: hook('beforeLogin'),
      onLogin: hook('onLogin'),
      beforePasswordChanged: hook('beforePasswordChanged'),
      onPasswordChanged: hook('onPasswordChanged'),
      beforeRolesChanged: hook('beforeRolesChanged'),
      onRolesChanged: hook('onRolesChanged'),
      onEvent,
      timeoutMs
    }
  }
  return made
}

const timeoutMs = 300
const never = async (): Promise<never> => await new Promise(() => {})

t.test('hooks of a host', async t => {
  const state = createSwitch(timeoutMs)
  const api = await createTestApp(t, { hooks: state.hooks, sessions: { refreshGraceSeconds: 0 } })
  const sql = connect(api.database)
  t.teardown(async () => { await sql.end() })
  const register = async (email = newEmail()) => await api.app.inject({ method: 'POST', url: '/api/v1/auth/register', payload: { email, password: goodPassword } })
  const isThere = async (email: string): Promise<boolean> => (await sql`select 1 from users where email = ${email}`).length > 0
  const order = (): string[] => state.calls.map(({ hook }) => hook)
  t.beforeEach(() => {
    state.act = () => {}
    state.actOnEvent = () => {}
    state.calls.length = 0
    state.events.length = 0
  })

  t.test('are told of the event and the person, in order; the one before sees what nobody else sees yet', async t => {
    const email = newEmail()
    const seen: boolean[] = []
    state.act = async () => { seen.push(await isThere(email)) }
    const response = await api.app.inject({ method: 'POST', url: '/api/v1/auth/register', headers: { 'x-request-id': 'of-the-hook' }, payload: { email, password: goodPassword, firstName: 'Ada' } })
    t.equal(response.statusCode, 201)
    t.same(order(), ['beforeUserCreated', 'onUserCreated'])
    t.same(seen, [false, true], 'one is called before the commit, and one after it')
    for (const { event, user, request } of state.calls) {
      t.same(user, response.json())
      t.match(event, { type: 'user_created', outcome: 'success', actorId: user.id, targetId: user.id, sessionId: null, details: {} })
      t.match(request, { requestId: 'of-the-hook', userAgent: 'lightMyRequest' })
    }
    const [row] = await sql`select id, occurred_at from audit_events where target_id = ${response.json().id}`
    t.equal(state.calls[0]?.event.id, row?.id)
    t.ok(Math.abs(new Date(state.calls[0]?.event.occurredAt ?? 0).getTime() - row?.occurred_at.getTime()) < 5000)
    t.match(state.events, [{ event: { id: row?.id } }])
    t.notOk(JSON.stringify(state.calls).includes('argon2'), 'no hash')
  })

  t.test('what they are given cannot be changed', async t => {
    const thrown: unknown[] = []
    state.act = (_hook, { user, event, request }) => {
      for (const object of [user, user.roles, event, event.details, request]) {
        try { Object.assign(object, { 0: 'admin' }) } catch (error) { thrown.push(error) }
      }
    }
    const response = await register()
    t.equal(response.statusCode, 201)
    t.equal(thrown.length, 10)
    t.same(response.json().roles, ['user'])
  })

  t.test('are called for each kind of change', async t => {
    const person = await signUp(api)
    const send = async (method: 'POST' | 'PATCH' | 'DELETE', path: string, payload?: object) =>
      await api.request({ method, url: `/api/v1${path}`, headers: person.authorization, ...payload === undefined ? {} : { payload } })
    await send('PATCH', '/users/me', { firstName: 'Grace' })
    await send('POST', '/auth/reauthenticate', { password: goodPassword })
    await send('POST', '/users/me/password', { currentPassword: goodPassword, newPassword: `${goodPassword}, twice` })
    await send('DELETE', '/users/me')
    t.same(order(), ['UserCreated', 'Login', 'UserUpdated', 'PasswordChanged', 'UserDeleted'].flatMap(name => [`before${name}`, `on${name}`]))
    t.equal(state.calls.find(({ hook }) => hook === 'onUserUpdated')?.user.firstName, 'Grace')
    t.match(state.calls.at(-1), { event: { type: 'user_deleted' }, user: { id: person.id, email: person.email, isActive: false } })
    t.same(state.events.map(({ event }) => event.type), ['user_created', 'authn_login_success', 'session_created', 'user_updated', 'authn_login_success', 'authn_password_change', 'user_deleted'])
    t.equal((await post(api, '/auth/login', { email: person.email, password: goodPassword })).statusCode, 401)
    t.match(state.events.at(-1), { event: { type: 'authn_login_fail', outcome: 'failure' } })
    t.same(order().length, 10, 'a failure has no hooks of its own')
  })

  t.test('are told of what is in the trail without a change of theirs: refusals, and refresh tokens that are used again', async t => {
    const person = await signUp(api)
    state.events.length = 0
    t.equal((await api.request({ method: 'GET', url: '/api/v1/admin/keys', headers: { ...person.authorization, 'x-request-id': 'refused' } })).statusCode, 403)
    await api.scope.authServeAudit.refusals.flush()
    t.equal((await refresh(api, person.refreshToken)).statusCode, 200)
    t.match((await refresh(api, person.refreshToken)).json(), { code: 'REFRESH_TOKEN_REUSED' })
    t.match(state.events, [
      { event: { type: 'authz_fail', outcome: 'failure', actorId: person.id, sessionId: person.sessionId }, request: { requestId: 'refused' } },
      { event: { type: 'authn_token_reuse', outcome: 'failure', targetId: person.id, sessionId: person.sessionId } }
    ])
    t.equal(state.events.length, 2)
    const rows = await sql`select id from audit_events where session_id = ${person.sessionId} and type in ('authz_fail', 'authn_token_reuse') order by id`
    t.same(state.events.map(({ event }) => event.id), rows.map(({ id }) => id), 'under the ids of the trail')
  })

  t.test('one before refuses with an error of the catalogue; nothing is kept, and no other hook hears of it', async t => {
    const email = newEmail()
    state.act = (hook, { user }) => {
      if (hook === 'beforeUserCreated' && user.email === email) throw new CodedError('FORBIDDEN', 'Only members of the club join.')
    }
    const [before] = await sql`select count(*) from audit_events`
    const response = await register(email)
    t.match(response.json(), { status: 403, code: 'FORBIDDEN', detail: 'Only members of the club join.' })
    t.notOk(await isThere(email))
    const [after] = await sql`select count(*) from audit_events`
    t.equal(after?.count, before?.count)
    t.same(order(), ['beforeUserCreated'])
    t.same(state.events, [])
    state.act = () => { throw new CodedError('INVALID_INPUT', 'No.', { errors: [{ path: '/body/email', code: 'domain', message: 'Use the address of the company.' }] }) }
    t.match((await register()).json(), { status: 422, errors: [{ path: '/body/email', code: 'domain' }] })
    state.act = () => {}
    t.equal((await register(email)).statusCode, 201)
  })

  t.test('a login that is refused leaves no session, and does not lock', async t => {
    const person = await signUp(api)
    state.act = () => { throw new CodedError('ACCOUNT_DISABLED', 'Out of office hours.') }
    for (let n = 0; n < 7; n++) t.equal((await api.app.inject({ method: 'POST', url: '/api/v1/auth/login', payload: { email: person.email, password: goodPassword } })).statusCode, 403)
    const [sessions] = await sql`select count(*) from sessions where user_id = ${person.id}`
    t.equal(Number(sessions?.count), 1)
    state.act = () => {}
    await signIn(api, person.email)
  })

  t.test('one before that fails, also as a database would, is 500 and rolled back; the breaker of the database does not mind', async t => {
    const asDatabase = Object.assign(new Error('canary of the host'), { code: 'ECONNREFUSED' })
    for (const [failure, times] of [[asDatabase, 6], [new Error('canary of the host'), 1], [undefined, 1]] as const) {
      const email = newEmail()
      state.act = () => { throw failure }
      for (let n = 0; n < times; n++) {
        const response = await register(email)
        t.match(response.json(), { status: 500, code: 'INTERNAL_ERROR' })
        t.notOk(response.body.includes('canary'))
      }
      t.notOk(await isThere(email))
    }
    t.ok(api.log.text().includes('canary of the host'), 'the log says why')
    state.act = () => {}
    t.equal((await register()).statusCode, 201)
  })

  t.test('one before that takes too long is 503, told by its signal and rolled back', async t => {
    const email = newEmail()
    let signal: AbortSignal | undefined
    state.act = async (_hook, call) => {
      signal = call.signal
      await never()
    }
    const response = await register(email)
    t.match(response.json(), { status: 503, code: 'SERVICE_UNAVAILABLE' })
    t.ok(Number(response.headers['retry-after']) >= 1)
    t.ok(signal?.aborted)
    t.notOk(await isThere(email))
  })

  t.test('one after that fails or takes too long changes nothing, and is logged', async t => {
    state.act = hook => { if (hook === 'onUserCreated') throw new Error('mail of the host is down') }
    state.actOnEvent = () => { throw new CodedError('FORBIDDEN', 'too late') }
    t.equal((await register()).statusCode, 201)
    const failed = api.log.lines().filter(line => line.msg === 'a hook failed, which changes nothing')
    t.same(failed.map(line => line.hook), ['onUserCreated', 'onEvent'])
    t.match(failed[0], { err: { message: 'mail of the host is down' } })
    state.act = async hook => { if (hook === 'onUserCreated') await never() }
    const email = newEmail()
    t.equal((await register(email)).statusCode, 201)
    t.ok(await isThere(email))
    t.ok(api.log.text().includes('hooks took too long; they are not waited for'))
  })

  t.test('what an administrator does is told too, and may be refused', async t => {
    const [admin, person] = [await signUpAdmin(api), await signUp(api)]
    const change = async (payload: object) => await api.app.inject({ method: 'PATCH', url: `/api/v1/admin/users/${person.id}`, headers: admin.authorization, payload })
    state.calls.length = 0
    t.equal((await change({ roles: ['admin'] })).statusCode, 200)
    t.same(order(), ['beforeUserUpdated', 'beforeRolesChanged', 'onUserUpdated', 'onRolesChanged'])
    t.match(state.calls.at(-1), { user: { id: person.id, roles: ['user', 'admin'] }, event: { actorId: admin.id, details: { before: ['user'], after: ['user', 'admin'] } } })
    state.act = hook => { if (hook === 'beforeRolesChanged') throw new CodedError('CONFLICT', 'The directory says otherwise.') }
    t.match((await change({ roles: [] })).json(), { status: 409, detail: 'The directory says otherwise.' })
    t.match([...await sql`select roles from users where id = ${person.id}`], [{ roles: ['user', 'admin'] }])
  })

  t.test('who loses a race for an address is told without a hook', async t => {
    const email = newEmail()
    const statuses = (await Promise.all(Array.from({ length: 10 }, async () => await register(email)))).map(({ statusCode }) => statusCode).sort()
    t.same(statuses, [201, ...Array.from({ length: 9 }, () => 409)])
    t.same(order(), ['beforeUserCreated', 'onUserCreated'])
  })
})

t.test('without hooks there is nothing to call; what is no hook is refused', async t => {
  const log = { error () {} }
  t.equal(createEventHooks(undefined, log), undefined)
  t.equal(createEventHooks({ timeoutMs: 10 }, log), undefined)
  t.throws(() => createEventHooks({ timeoutMs: 0 }, log), /auth-serve hooks: invalid options: \/timeoutMs/)
  await t.rejects(createTestApp(t, { hooks: Object.assign({ timeoutMs }, { onNothing: () => {} }) }), /auth-serve hooks: invalid options: \/onNothing/)
})

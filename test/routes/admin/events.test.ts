import t from 'tap'
import { createTestApp } from '../../helpers/app.ts'
import { connect } from '../../helpers/database.ts'
import { signUpAdmin } from '../../helpers/keys.ts'
import { goodPassword, post, signIn, signUp, type Person } from '../../helpers/people.ts'
import type { Event } from '../../../src/schemas/event.ts'

t.test('the audit trail', async t => {
  const api = await createTestApp(t, { audit: { sealSeconds: 86_400 }, roles: { auditor: ['events:read'], support: ['users:read'] } })
  const sql = connect(api.database)
  t.teardown(async () => { await sql.end() })
  const admin = await signUpAdmin(api)
  const [ada, bob] = [await signUp(api), await signUp(api)]
  await post(api, '/auth/login', { email: bob.email, password: 'wrong' })
  await post(api, `/admin/users/${bob.id}/unlock`, '', { ...admin.authorization, 'user-agent': 'admins-browser/1' })
  const call = async (url: string, { authorization }: Pick<Person, 'authorization'> = admin) => await api.request({ method: 'GET', url: `/api/v1${url}`, headers: authorization })
  const list = async (query = '', person = admin): Promise<Event[]> => (await call(`/admin/events${query}`, person)).json().items
  const typesOf = (events: Event[]) => events.map(({ type, outcome }) => `${type} ${outcome}`)

  t.test('is for those with the permission events:read', async t => {
    t.match((await api.request({ method: 'GET', url: '/api/v1/admin/events' })).json(), { status: 401, code: 'TOKEN_MISSING' })
    await sql`update users set roles = '{user,support}' where id = ${bob.id}`
    t.match((await call('/admin/events', await signIn(api, bob.email))).json(), { status: 403, code: 'FORBIDDEN' })
    await sql`update users set roles = '{user,auditor}' where id = ${bob.id}`
    t.equal((await call('/admin/events', await signIn(api, bob.email))).statusCode, 200)
  })

  t.test('is listed newest first, with actor, target, session, request, address and user agent', async t => {
    const events = await list()
    const times = events.map(({ occurredAt, id }) => `${occurredAt} ${id}`)
    t.same(times, times.toSorted().toReversed())
    t.match(events.find(({ type, targetId }) => type === 'authz_admin' && targetId === bob.id), {
      outcome: 'success', actorId: admin.id, sessionId: admin.sessionId, requestId: String, ipAddress: '127.0.0.1', userAgent: 'admins-browser/1', details: { action: 'user_unlocked' }
    })
    t.notMatch(JSON.stringify(events), /@example\.com|wrong/, 'no address of mail, no password')
  })

  t.test('is filtered by person as actor or target, by type and by time', async t => {
    t.same(typesOf(await list(`?userId=${ada.id}`)), ['session_created success', 'authn_login_success success', 'user_created success'], 'an event that is by them and about them comes once')
    const ofBob = typesOf(await list(`?userId=${bob.id}`))
    for (const expected of ['authz_admin success', 'authn_login_fail failure', 'user_created success']) t.ok(ofBob.includes(expected), expected)
    t.same(typesOf(await list(`?userId=${bob.id}&type=authn_login_fail`)), ['authn_login_fail failure'])
    t.ok((await list('?type=user_created')).every(({ type }) => type === 'user_created'))
    const [newest, , oldest] = await list(`?userId=${ada.id}`)
    t.same(typesOf(await list(`?userId=${ada.id}&from=${newest?.occurredAt}`)).at(0), 'session_created success', 'from counts')
    t.same(await list(`?userId=${ada.id}&to=${oldest?.occurredAt}`), [], 'to does not')
    t.same(await list('?to=0001-01-01T00:00:00%2B23:59'), [])
    t.same(await list('?from=9999-12-31T23:59:59-23:59'), [])
  })

  t.test('refuses filters that mean nothing', async t => {
    for (const [query, path] of [['type=tea', '/query/type'], ['userId=ada', '/query/userId'], ['from=yesterday', '/query/from'], ['from=2026-02-30T00:00:00Z', '/query/from'], ['from=2026-01-01T00:00:00Z&to=2026-01-01T00:00:00Z', '/query/to'], ['actorId=x', '/query/actorId'], ['limit=201', '/query/limit'], ['cursor=x', '/query/cursor']] as const) {
      t.match((await call(`/admin/events?${query}`)).json(), { status: 422, code: 'INVALID_INPUT', errors: [{ path }] }, query)
    }
  })

  t.test('comes in pages that stay the same while events are added, also of one moment', async t => {
    const target = '0199aaaa-bbbb-7ccc-8ddd-eeeeffff0009'
    const insert = async (count: number) => await sql`insert into audit_events (id, type, outcome, actor_id, target_id) select gen_random_uuid(), 'user_updated', 'success', case when n % 2 = 0 then ${target}::uuid end, ${target} from generate_series(1, ${count}::int) n`
    await insert(11)
    const before = (await list(`?userId=${target}`)).map(({ id }) => id)
    t.equal(before.length, 11)
    const seen: string[] = []
    let query = `?userId=${target}&type=user_updated&limit=4`
    const pages: string[] = []
    for (let cursor: string | null = ''; cursor !== null;) {
      const page: { items: Event[], nextCursor: string | null } = (await call(`/admin/events${query}${cursor === '' ? '' : `&cursor=${cursor}`}`)).json()
      seen.push(...page.items.map(({ id }) => id))
      cursor = page.nextCursor
      if (cursor !== null) pages.push(cursor)
      await insert(2)
    }
    t.same(seen, before)
    query = `?userId=${target}&limit=4`
    const cursor = pages[0] ?? ''
    for (const forged of [`${query}&cursor=${cursor}`, `?cursor=${cursor}`, `?userId=${ada.id}&type=user_updated&cursor=${cursor}`, `?userId=${target}&type=user_updated&cursor=${cursor.replace(/.$/, end => end === 'A' ? 'B' : 'A')}`]) {
      t.match((await call(`/admin/events${forged}`)).json(), { status: 422, errors: [{ path: '/query/cursor' }] }, forged)
    }
    t.equal((await call(`/users/me/events?cursor=${cursor}`)).statusCode, 422, 'nor is it one of another list')
  })

  t.test('is not scanned for a person', async t => {
    await sql`insert into audit_events (id, type, outcome, actor_id, target_id) select gen_random_uuid(), 'authn_login_success', 'success', md5((n % 2000)::text)::uuid, md5((n % 2000)::text)::uuid from generate_series(1, 20000) n`
    await sql`analyze audit_events`
    const [month] = await sql`select 'audit_events_' || to_char(now() at time zone 'UTC', 'YYYY_MM') as name`
    const explain = async (column: string) => (await sql.unsafe(`explain select * from audit_events where ${column} = md5('7')::uuid order by occurred_at desc, id desc limit 51`)).map(row => Object.values(row).join()).join('\n')
    for (const column of ['actor_id', 'target_id']) {
      const plan = await explain(column)
      // Months ahead are empty.
      t.notMatch(plan, new RegExp(`Seq Scan on ${month?.name}`))
      t.match(plan, new RegExp(`Index Scan.*${month?.name}_${column}`))
    }
  })

  t.test('GET /users/me/events: what one did, and what was done to one without how others came', async t => {
    const own = async (person: Person, query = ''): Promise<Event[]> => (await call(`/users/me/events${query}`, person)).json().items
    t.same(await own(ada), await list(`?userId=${ada.id}`), 'of oneself, everything')
    t.ok((await own(ada)).every(event => event.actorId === ada.id && event.ipAddress !== null))
    const signedIn = await signIn(api, bob.email)
    const unlocked = (await own(signedIn)).find(({ type }) => type === 'authz_admin')
    t.match(unlocked, { actorId: admin.id, targetId: bob.id, sessionId: null, requestId: null, ipAddress: null, userAgent: null, details: { action: 'user_unlocked' } })
    const { sessionId } = await signIn(api, bob.email)
    t.equal((await api.request({ method: 'DELETE', url: `/api/v1/admin/users/${bob.id}/sessions/${sessionId}`, headers: admin.authorization })).statusCode, 204)
    t.match((await list(`?userId=${bob.id}&type=authn_token_revoked`))[0], { sessionId, details: { reason: 'session_ended', askedWith: admin.sessionId } })
    t.same((await own(signedIn)).find(({ type }) => type === 'authn_token_revoked')?.details, { reason: 'session_ended' }, 'nor the session of the administrator')
    t.match((await own(signedIn)).find(({ type }) => type === 'authn_login_fail'), { actorId: null, ipAddress: '127.0.0.1' }, 'where a stranger tried to sign in from is told')
    t.equal((await own(signedIn, '?limit=1')).length, 1)
    t.match((await call(`/users/me/events?userId=${ada.id}`, signedIn)).json(), { status: 422 }, 'and nobody else’s')
    t.equal((await post(api, '/users/me/password', { currentPassword: goodPassword, newPassword: `${goodPassword} anew` }, ada.authorization)).statusCode, 204)
    t.match((await own(ada))[0], { type: 'authn_password_change', sessionId: ada.sessionId, details: { sessionsEnded: 0 } })
  })
})

import t from 'tap'
import fc from 'fast-check'
import { PgDialect } from 'drizzle-orm/pg-core'
import { listStatement } from '../../../src/db/user-directory-statement.ts'
import type { UserQuery, UserSort } from '../../../src/db/user-query.ts'
import type { User } from '../../../src/schemas/user.ts'
import { createTestApp } from '../../helpers/app.ts'
import { connect } from '../../helpers/database.ts'
import { signUpAdmin } from '../../helpers/keys.ts'
import { signIn, signUp } from '../../helpers/people.ts'

const sorts: UserSort[] = ['createdAt', '-createdAt', 'email', '-email', 'lastLoginAt', '-lastLoginAt']

t.test('GET /admin/users', async t => {
  const api = await createTestApp(t, { roles: { support: ['users:read'], idle: [] } })
  const sql = connect(api.database)
  t.teardown(async () => { await sql.end() })
  const admin = await signUpAdmin(api)
  const person = await signUp(api)
  const get = async (query: string, headers: Record<string, string> = admin.authorization) => await api.request({ method: 'GET', url: `/api/v1/admin/users?${query}`, headers })
  const list = async (query: Record<string, string>): Promise<{ items: User[], nextCursor: string | null }> => {
    const response = await get(new URLSearchParams(query).toString())
    t.equal(response.statusCode, 200, response.body)
    return response.json()
  }
  const emails = async (query: Record<string, string>): Promise<string[]> => (await list(query)).items.map(({ email }) => email)
  /** Every page, with something done between any two. */
  async function walk (query: Record<string, string>, between: () => Promise<unknown> = async () => {}): Promise<User[]> {
    const users: User[] = []
    for (let cursor: string | null = ''; cursor !== null;) {
      const page: { items: User[], nextCursor: string | null } = await list({ ...query, ...cursor !== '' && { cursor } })
      users.push(...page.items)
      cursor = page.nextCursor
      if (cursor !== null) await between()
    }
    return users
  }
  let made = 0
  /** Adds people by hand. */
  async function add (values: { email?: string, username?: string, firstName?: string, lastName?: string, roles?: string[], active?: boolean, deleted?: boolean, createdAt?: string, lastLoginAt?: string | null }): Promise<string> {
    const email = values.email ?? `made-${++made}@list.example`
    const [row] = await sql`insert into users (id, email, email_canonical, username, username_canonical, first_name, last_name, roles, is_active, deleted_at, created_at, last_login_at)
      values (gen_random_uuid(), ${email}, ${email.toLowerCase()}, ${values.username ?? null}, ${values.username?.toLowerCase() ?? null}, ${values.firstName ?? null}, ${values.lastName ?? null},
        ${values.roles ?? ['user']}, ${values.active ?? true}, ${values.deleted === true ? sql`now()` : null}, ${values.createdAt ?? sql`now()`}, ${values.lastLoginAt ?? null}) returning id`
    return String(row?.id)
  }

  t.test('is for whoever has users:read', async t => {
    t.match((await get('', {})).json(), { status: 401, code: 'TOKEN_MISSING' })
    t.match((await get('sort=nothing', person.authorization)).json(), { status: 403, code: 'FORBIDDEN' }, 'before the input is judged')
    await sql`update users set roles = '{user,support}' where id = ${person.id}`
    t.equal((await get('', (await signIn(api, person.email)).authorization)).statusCode, 200)
  })

  t.test('answers people as GET /users/me does, never a deleted one', async t => {
    const id = await add({ email: 'gone@list.example', deleted: true })
    const { items } = await list({ limit: '200' })
    t.notOk(items.some(user => user.id === id))
    const me = (await api.request({ method: 'GET', url: '/api/v1/users/me', headers: admin.authorization })).json()
    t.same(items.find(user => user.id === admin.id), me)
    t.same(await emails({ email: 'gone@list.example' }), [])
    t.same(await emails({ search: 'gone@list' }), [])
    t.match((await api.request({ method: 'GET', url: `/api/v1/admin/users/${id}`, headers: admin.authorization })).json(), { status: 404, code: 'USER_NOT_FOUND' })
    t.same((await api.request({ method: 'GET', url: `/api/v1/admin/users/${admin.id.toUpperCase()}`, headers: admin.authorization })).json(), me)
    t.match((await api.request({ method: 'GET', url: '/api/v1/admin/users/7', headers: admin.authorization })).json(), { status: 422, errors: [{ path: '/params/id' }] })
  })

  t.test('email finds one person, in whatever spelling', async t => {
    await add({ email: 'Ada.Lovelace@XN--BCHER-KVA.example' })
    for (const email of ['ada.lovelace@xn--bcher-kva.example', 'ADA.LOVELACE@bücher.example']) t.same(await emails({ email }), ['Ada.Lovelace@XN--BCHER-KVA.example'])
    t.same(await emails({ email: 'ada.lovelace@xn--bcher-kva.example', isActive: 'false' }), [], 'filters combine')
    t.same(await emails({ email: 'lovelace@xn--bcher-kva.example' }), [], 'the whole address')
    for (const email of ['ada', 'ada@', '@example.com', '']) t.match((await get(new URLSearchParams({ email }).toString())).json(), { status: 422, errors: [{ path: '/query/email' }] })
  })

  await t.test('search finds parts of addresses, usernames and names, regardless of case', async t => {
    await add({ email: 'grace@search.example', username: 'Admiral_99', firstName: 'Grace Brewster', lastName: 'Höpper' })
    await add({ email: '50%_off\\x@search.example' })
    for (const search of ['grace@search', 'ACE@SEA', 'miral', 'ADMIRAL_99', 'brewster h', 'HÖPPER', 'öpp', 'gr', 'hö']) t.ok((await emails({ search })).includes('grace@search.example'), search)
    for (const search of ['50%_off\\x@', '%_off', '_off\\x', 'ff\\x']) t.same(await emails({ search }), ['50%_off\\x@search.example'], search)
    for (const search of ['%%%', '___', '%', '_', '\\', '*', "' or 1=1 --", 'brewsterh', 'qqqqqqq', '🔑🔑🔑', '\u{10FFFF}']) t.same(await emails({ search }), [], search)
    t.same(await emails({ search: 'miral', role: 'admin' }), [])
  })

  t.test('without an index of trigrams, search finds beginnings', async t => {
    await sql`drop index user_search_trigram_idx`
    const plain = await createTestApp(t, { database: {}, roles: { support: ['users:read'] } }, api.database)
    const search = async (text: string) => (await plain.request({ method: 'GET', url: `/api/v1/admin/users?${new URLSearchParams({ search: text }).toString()}`, headers: admin.authorization })).json().items.map(({ email }: User) => email)
    for (const text of ['grace@s', 'ADMIRAL', 'grace brew', 'HÖPP', 'g']) t.ok((await search(text)).includes('grace@search.example'), text)
    for (const text of ['ace@', 'miral', 'brewster', 'öpp']) t.same(await search(text), [], text)
    t.same(await search('50%_'), ['50%_off\\x@search.example'])
    await sql`create index user_search_trigram_idx on user_search using gin (email gin_trgm_ops, username gin_trgm_ops, name gin_trgm_ops)`
  })

  t.test('role and isActive filter; a role that nobody defined is named', async t => {
    const idle = await add({ roles: ['user', 'idle'], active: false })
    t.same((await list({ role: 'idle' })).items.map(({ id }) => id), [idle])
    t.same((await list({ role: 'idle', isActive: 'true' })).items, [])
    t.ok((await list({ isActive: 'false' })).items.every(({ isActive }) => !isActive))
    t.ok((await list({ role: 'admin' })).items.every(({ roles }) => roles.includes('admin')))
    t.equal((await list({ role: 'user', limit: '200' })).items.length, (await list({ limit: '200' })).items.length)
    t.match((await get('role=king')).json(), { status: 422, errors: [{ path: '/query/role', code: 'unknown_role', message: /user, admin, support, idle/ }] })
    await sql`update users set is_active = true, roles = '{user}' where id = ${idle}`
    t.same([(await list({ role: 'idle' })).items, (await list({ isActive: 'false' })).items], [[], []], 'what people are found by follows')
  })

  t.test('what is no query is refused, each value by its name', async t => {
    for (const [query, path] of [
      ['limit=0', '/query/limit'], ['limit=201', '/query/limit'], ['limit=x', '/query/limit'], ['sort=name', '/query/sort'], ['sort=', '/query/sort'], ['isActive=yes', '/query/isActive'],
      ['role=a&role=b', '/query/role'], ['q=x', '/query/q'], ['cursor=x', '/query/cursor'], ['cursor=', '/query/cursor'], [`cursor=${'a'.repeat(3000)}`, '/query/cursor'],
      ['search=', '/query/search'], ['search=%00', '/query/search'], [`search=${'x'.repeat(101)}`, '/query/search']
    ] as const) t.match((await get(query)).json(), { status: 422, code: 'INVALID_INPUT', errors: [{ path }] }, query)
  })

  await t.test('a cursor is good for the list, filters and order that it was made for', async t => {
    const { nextCursor } = await list({ limit: '1' })
    const cursor = String(nextCursor)
    t.equal((await list({ limit: '2', cursor })).items.length, 2, 'also with another limit')
    const [key, position = '', mac] = cursor.split('.')
    const forged = Buffer.from(Buffer.from(position, 'base64url').toString().replace('"id":"', '"id":"0')).toString('base64url')
    for (const query of [`cursor=${key}.${forged}.${mac}`, `cursor=${cursor}A`, `cursor=${cursor}&sort=createdAt`, `cursor=${cursor}&role=user`, `cursor=${cursor}&isActive=true`, `cursor=${cursor}&search=made`, `cursor=${cursor}&email=a@b.example`]) {
      t.match((await get(query)).json(), { status: 422, errors: [{ path: '/query/cursor' }] }, query)
    }
    const foreign = (await api.request({ method: 'GET', url: `/api/v1/admin/users/${admin.id}/sessions?cursor=${cursor}`, headers: admin.authorization }))
    t.match(foreign.json(), { status: 422, errors: [{ path: '/query/cursor' }] })
  })

  await t.test('every order is total, and who never signed in comes first or last', async t => {
    for (let n = 0; n < 12; n++) await add({ createdAt: '2026-01-01T00:00:00Z', lastLoginAt: n % 3 === 0 ? null : `2026-01-0${1 + n % 2}T00:00:00Z` })
    const by: Record<string, (user: User) => string> = { createdAt: ({ createdAt, id }) => createdAt + id, email: ({ email }) => email.toLowerCase(), lastLoginAt: ({ lastLoginAt, id }) => (lastLoginAt ?? '-') + id }
    for (const sort of sorts) {
      const users = await walk({ sort, limit: '5' })
      t.equal(new Set(users.map(({ id }) => id)).size, users.length, 'nobody twice')
      const key = by[sort.replace('-', '')] ?? String
      const keys = users.map(key)
      const sorted = keys.toSorted((a, b) => a < b ? -1 : 1)
      if (sort.endsWith('email')) t.same(users.map(({ id }) => id), (await sql`select id from users where deleted_at is null order by email_canonical ${sort === 'email' ? sql`asc` : sql`desc`}`).map(({ id }) => id))
      else t.same(keys, sort.startsWith('-') ? sorted.toReversed() : sorted, sort)
    }
  })

  await t.test('whatever filter and order: nobody twice and nobody lost, also when people join between the pages', async t => {
    const [{ count: before } = { count: 0 }] = await sql`select count(*)::int from users where deleted_at is null`
    await fc.assert(fc.asyncProperty(
      fc.constantFrom(...sorts), fc.integer({ min: 3, max: 8 }), fc.constantFrom<Record<string, string>>({}, { search: 'made' }, { search: 'list.example' }, { search: 'm' }, { isActive: 'true' }, { search: 'made', isActive: 'true' }),
      async (sort, limit, filter) => {
        const all = new Set((await walk({ sort: 'email', limit: '200', ...filter })).map(({ id }) => id))
        const joined: string[] = []
        const seen = await walk({ sort, limit: String(limit), ...filter }, async () => { joined.push(await add({ lastLoginAt: joined.length % 2 === 0 ? null : '2026-01-01T12:00:00Z', createdAt: '2026-01-01T00:00:00Z' })) })
        const ids = seen.map(({ id }) => id)
        if (new Set(ids).size !== ids.length) throw new Error('somebody came twice')
        for (const id of all) if (!ids.includes(id)) throw new Error('somebody was lost')
        for (const id of ids) if (!all.has(id) && !joined.includes(id)) throw new Error('somebody does not belong there')
      }), { numRuns: 12 })
    t.ok(before > 10)
  })

  await t.test('no plan scans everybody, or sorts more than it shows', async t => {
    await sql`alter table users disable trigger users_keep_search`
    await sql`insert into users (id, email, email_canonical, first_name, roles, is_active, created_at, last_login_at)
      select gen_random_uuid(), e, e, 'Many', case when i % 3000 = 0 then '{user,admin}' else '{user}' end::text[], i % 2 = 0, now() - make_interval(secs => i), case when i % 4 <> 0 then now() - make_interval(secs => i * 7919 % 100000) end
      from (select i, 'many-' || md5(i::text) || '@many.example' as e from generate_series(1, 30000) i) s`
    await sql`insert into user_search select id, email_canonical, username_canonical, lower(first_name), null, roles, is_active from users where first_name = 'Many'`
    await sql`alter table users enable trigger users_keep_search`
    await sql`vacuum analyze users, user_search`
    const dialect = new PgDialect()
    const filters: Omit<UserQuery, 'sort' | 'limit'>[] = [
      {}, { email: 'many@many.example' }, { search: 'many.example' }, { search: 'a' }, { search: 'zzz' }, { search: 'abc' }, { role: 'admin' }, { role: 'user' }, { isActive: true }, { isActive: false },
      { role: 'admin', search: 'many', isActive: false }
    ]
    for (const sort of sorts) {
      for (const filter of filters) {
        for (const after of [undefined, { value: sort.endsWith('email') ? 'many-8' : '2026-01-01T00:00:00.000Z', id: admin.id }]) {
          const { sql: text, params } = dialect.sqlToQuery(listStatement({ ...filter, sort, after, limit: 51 }, { substrings: true }))
          const plan = (await sql.unsafe(`explain ${text}`, params.map(String))).map(row => row['QUERY PLAN']).join('\n')
          t.notMatch(plan, /Seq Scan|Hash Join|Merge Join/, `${sort} ${JSON.stringify(filter)}`)
        }
      }
    }
    t.equal((await list({ search: 'many.example', sort: 'createdAt', limit: '200' })).items.length, 200, 'people who are found late in an order')
    t.equal((await walk({ role: 'admin', search: 'many', limit: '3' })).length, 10)
    // How many these are is up to the properties above.
    const [{ few } = { few: 0 }] = await sql`select count(*)::int as few from users where email_canonical like '%list.example' and deleted_at is null`
    t.ok(few > 10)
    t.equal((await list({ search: 'list.example', sort: '-lastLoginAt', limit: '200' })).items.length, Math.min(few, 200), 'people who stand behind 30 000 others')
  })
})

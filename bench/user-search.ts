import { PgDialect } from 'drizzle-orm/pg-core'
import postgres, { type Sql } from 'postgres'
import { listStatement } from '../src/db/user-directory-statement.ts'
import type { UserQuery, UserSort } from '../src/db/user-query.ts'
import type { Bench } from './bench.ts'
import { makeCrowd } from './crowd.ts'
import { rowOf, type Section } from './report.ts'

const password = 'the engine weaves algebra'
const email = 'operator@example.com'
const sorts: UserSort[] = ['createdAt', '-createdAt', 'email', '-email', 'lastLoginAt', '-lastLoginAt']
/** Pages of 200 that are turned to get deep into a list, where it has as many. */
const pagesDown = 50
const warmUps = 5

type Times = Map<string, number[]>

/** What is looked for. Texts in it are found in a database of any size. */
const searches: Record<string, string> = {
  'one e-mail address': `email=${encodeURIComponent(email)}`,
  'substring, one match': 'search=perator%40exam',
  'substring, 1 in 100, all far down': 'search=user77',
  'substring, everybody': 'search=example.com',
  'beginning, one match': 'search=op',
  'beginning, a seventh': 'search=z',
  'role=admin': 'role=admin',
  'isActive=false': 'isActive=false'
}

const isSort = (query: string): boolean => query.startsWith('sort=')

async function timesOf (url: string, tries: number): Promise<Times> {
  const times: Times = new Map()
  const post = async (path: string, body: object): Promise<Response> =>
    await fetch(`${url}/api/v1${path}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
  const signIn = async () => JSON.parse(await (await post('/auth/login', { email, password })).text())
  const authorization = `Bearer ${(await signIn()).accessToken}`
  async function get (path: string): Promise<{ nextCursor: string | null }> {
    const response = await fetch(`${url}/api/v1${path}`, { headers: { authorization } })
    const body = await response.text()
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${body}`)
    return JSON.parse(body)
  }
  async function measure (name: string, work: () => Promise<unknown>): Promise<void> {
    for (let n = 0; n < warmUps; n++) await work()
    const values: number[] = []
    for (let n = 0; n < tries; n++) {
      const begin = performance.now()
      await work()
      values.push(performance.now() - begin)
    }
    times.set(name, values)
  }
  for (const [name, query] of [...Object.entries(searches), ...sorts.map(sort => [`first page, ${sort}`, `sort=${sort}`] as const)]) {
    await measure(name, async () => await get(`/admin/users?${query}`))
    if (!isSort(query)) continue
    let deep = ''
    for (let n = 0; n < pagesDown; n++) {
      const { nextCursor } = await get(`/admin/users?${query}&limit=200${deep}`)
      if (nextCursor === null) break
      deep = `&cursor=${nextCursor}`
    }
    await measure(name.replace('first', 'deep'), async () => await get(`/admin/users?${query}${deep}`))
  }
  await measure('POST /auth/login', signIn)
  await measure('GET /users/me', async () => await get('/users/me'))
  return times
}

/** Kinds of nodes in the plans of what was looked for: a scan of everybody would be told here. */
async function nodesOf (sql: Sql): Promise<string> {
  const dialect = new PgDialect()
  const queries: Omit<UserQuery, 'limit' | 'sort'>[] = [{ email }, { search: 'perator@exam' }, { search: 'user77' }, { search: 'example.com' }, { search: 'z' }, { role: 'admin' }, { isActive: false }, {}]
  const nodes = new Set<string>()
  for (const query of queries) {
    for (const sort of sorts) {
      const { sql: text, params } = dialect.sqlToQuery(listStatement({ ...query, sort, limit: 51 }, { substrings: true }))
      const plan = await sql.unsafe(`explain ${text}`, params.map(String))
      for (const line of plan) nodes.add(/^(?:\s*->\s*|\s*)([A-Z][A-Za-z]+(?: [A-Z][A-Za-z]+)*)(?: using| on| +\(cost)/.exec(line['QUERY PLAN'])?.[1] ?? '')
    }
  }
  return [...nodes].filter(name => name !== '').sort().join(', ')
}

/** Measures what administrators look for, and what everybody does, among a thousand people and among a million. */
export async function measureUserSearch ({ database, programs, options, note, start }: Bench): Promise<Section[]> {
  const [few, many] = [1000, 1_000_000]
  const results = new Map<number, Times>()
  for (const size of [few, many]) {
    note(`search among ${size} people`)
    const name = `users_${size}`
    const side = await start(`service, ${size} people`, { ...programs.service, env: { ...programs.service.env, ...await database.environment(name) } })
    const sql = postgres({ ...await database.location(name), max: 1, onnotice: () => {} })
    const registered = await fetch(`${side.server.url}/api/v1/auth/register`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ email, password }) })
    if (!registered.ok) throw new Error(await registered.text())
    await makeCrowd(sql, size)
    await sql`update users set roles = '{user,admin}' where email_canonical = ${email}`
    results.set(size, await timesOf(side.server.url, options.tries))
    note(`plans among ${size} people: ${await nodesOf(sql)}`)
    await sql.end()
    await side.server.stop()
  }
  const rows = [...results.get(many) ?? []].map(([name, values]) => rowOf(name, 'ms', 'ratio <= 1.1 by e-mail, login, me', values, results.get(few)?.get(name) ?? []))
  return [{ title: 'Search', against: [`${many} people`, `${few} people`], rows }]
}

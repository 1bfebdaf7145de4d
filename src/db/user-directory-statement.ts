import { sql, type SQL } from 'drizzle-orm'
import { userSearch, users } from './tables.ts'
import type { UserPosition, UserQuery, UserSort } from './user-query.ts'

/** Rows that are looked at along the order, for each that is to be shown, before the indexes of the filters are. */
const looksPerRow = 10

/** People who are sorted at most: of more, some come soon enough in any order. */
const maxSorted = 5000

/**
 * What an index of trigrams can be asked for: three letters or digits in a row, or the end or beginning of a word. By
 * anything else ("a", "--") it would be read as a whole.
 */
const trigramText = /[\p{L}\p{N}]{3}|[^\p{L}\p{N}][\p{L}\p{N}]|[\p{L}\p{N}]{2}[^\p{L}\p{N}]/u

const list = (parts: readonly SQL[]): SQL => sql.join([...parts], sql`, `)
const all = (parts: readonly SQL[]): SQL => parts.length === 0 ? sql`true` : sql.join([...parts], sql` and `)
const some = (parts: readonly SQL[]): SQL => sql`(${sql.join([...parts], sql` or `)})`

/** The keys of each index that has an order, and the place in it. */
const byEmail = { keys: [sql`email_canonical`], place: ({ value }: UserPosition) => [sql`${value}::text`] }
const byMoment = (moment: SQL) => ({
  keys: [moment, sql`id`],
  place: ({ value, id }: UserPosition) => [sql`${value ?? '-infinity'}::timestamptz`, sql`${id}::uuid`]
})
const byCreation = byMoment(sql`created_at`)
const byLogin = byMoment(sql`coalesce(last_login_at, '-infinity')`)
const orders = {
  createdAt: { ...byCreation, descending: false },
  '-createdAt': { ...byCreation, descending: true },
  email: { ...byEmail, descending: false },
  '-email': { ...byEmail, descending: true },
  lastLoginAt: { ...byLogin, descending: false },
  '-lastLoginAt': { ...byLogin, descending: true }
} satisfies Record<UserSort, object>

/** A filter: how a row of users that is at hand is judged, and which ids the indexes of `user_search` have, where few may meet it. */
interface Filter { matches: SQL, lookUps?: readonly SQL[] }

const idsWhere = (condition: SQL): SQL => sql`select user_id from ${userSearch} where ${condition}`
// Values are taken from `asked`, so that the plan cannot depend on them.
const text = sql`(select text from asked)`

function searchFilter (search: string, substrings: boolean): Filter {
  const name = sql`lower(concat_ws(' ', first_name, last_name))`
  if (substrings && trigramText.test(search)) {
    return {
      matches: some([sql`email_canonical`, sql`username_canonical`, name].map(column => sql`strpos(${column}, ${text}) > 0`)),
      lookUps: [sql`email`, sql`username`, sql`name`].map(column => idsWhere(sql`${column} like (select pattern from asked)`))
    }
  }
  return {
    matches: some([sql`email_canonical`, sql`username_canonical`, name, sql`lower(last_name)`].map(column => sql`starts_with(${column}, ${text})`)),
    // The range of an index that LIKE 'x%' would be read in.
    lookUps: [sql`email`, sql`username`, sql`name`, sql`last_name`].map(column => idsWhere(sql`${column} ~>=~ ${text} and ${column} ~<~ (select beyond from asked)`))
  }
}

function filtersOf ({ search, role, isActive }: UserQuery, substrings: boolean): Filter[] {
  return [
    // Everybody has the role user.
    ...role === undefined || role === 'user' ? [] : [{ matches: sql`roles @> (select roles from asked)`, lookUps: [idsWhere(sql`roles @> (select roles from asked) and roles <> '{user}'::text[]`)] }],
    ...isActive === undefined ? [] : [isActive ? { matches: sql`is_active` } : { matches: sql`not is_active`, lookUps: [sql`${idsWhere(sql`not is_active`)} order by user_id`] }],
    ...search === undefined ? [] : [searchFilter(search, substrings)]
  ]
}

/** What the filters compare with. The last character of Unicode ends the range of a beginning. */
const askedOf = ({ search = '', role = '' }: UserQuery): SQL => sql`asked as materialized (
  select lower(${search}::text) as text, lower(${`${search}\u{10FFFF}`}::text) as beyond,
    lower(${`%${search.replace(/[\\%_]/g, '\\$&')}%`}::text) as pattern, array[${role}::text] as roles)`

/**
 * The people of a query, in their order: one statement, whose plan depends on which filters are given and never on their
 * values, so that no statistics make it scan or sort everybody (docs/decisions/015-user-search.md). What many people
 * meet is met soon along the index of the order; what few meet has an index of its own. Which it is shows on the way:
 * `near` goes a little along the order. Where that does not fill the page, a filter's index is asked (`narrow`), and the
 * people that it has are sorted (`chosen`) unless they are too many: then the way along the order goes on.
 */
export function listStatement (query: UserQuery, { substrings }: { substrings: boolean }): SQL {
  const { keys, place, descending } = orders[query.sort]
  const order = list(keys.map(key => sql`${key} ${descending ? sql`desc` : sql`asc`}`))
  const behind = query.after === undefined ? [] : [sql`(${list(keys)}) ${descending ? sql`<` : sql`>`} (${list(place(query.after))})`]
  const left = all([sql`deleted_at is null`, ...behind])
  const filters = filtersOf(query, substrings)
  // The planner takes every other row to pass.
  const passing = filters.length === 0 ? sql`true` : sql`coalesce(${all(filters.map(({ matches }) => matches))}, false)`
  const asked = askedOf(query)
  if (query.email !== undefined) return sql`with ${asked} select * from ${users} where email_canonical = ${query.email} and ${left} and ${passing}`

  const shown = sql`order by ${order} limit ${query.limit}`
  const indexed = filters.flatMap(({ lookUps }) => lookUps === undefined ? [] : [lookUps])
  if (indexed.length === 0) return sql`with ${asked} select * from ${users} where ${left} and ${passing} ${shown}`

  const isShort = sql`(select count(*) from near) < ${query.limit}`
  const narrow = indexed.map((lookUps, index) => {
    const name = sql.identifier(`narrow_${index}`)
    const found = sql.join(lookUps.map(lookUp => sql`(${lookUp})`), sql` union all `)
    return { name, table: sql`${name} as materialized (select user_id from (${found}) as found limit ${maxSorted + 1})`, tooMany: sql`(select count(*) from ${name}) > ${maxSorted}` }
  })
  const few = narrow.map(({ name, tooMany }, index) =>
    sql`select user_id from ${name} where ${all([isShort, ...narrow.slice(0, index).map(({ tooMany }) => tooMany), sql`not (${tooMany})`])}`)
  return sql`with ${asked},
    near as materialized (select * from (select * from ${users} where ${left} order by ${order} limit ${query.limit * looksPerRow}) as ${users} where ${passing} ${shown}),
    ${list(narrow.map(({ table }) => table))},
    chosen as (
      select one.* from (select distinct user_id from (${sql.join(few, sql` union all `)}) as few) as candidates
      cross join lateral (select * from ${users} where id = user_id and ${left} and ${passing} limit 1) as one ${shown})
    select * from (
      select * from near where not (${isShort})
      union all select * from chosen
      union all (select * from ${users} where ${all([isShort, ...narrow.map(({ tooMany }) => tooMany)])} and ${left} and ${passing} ${shown})
    ) as ${users} order by ${order}`
}

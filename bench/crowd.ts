import type { Sql } from 'postgres'

/** Every 250th is disabled, every 100 000th an administrator, every tenth never signed in; seven first names, and addresses that sort like chance. */
const crowd = (size: number): string => `
  insert into users (id, email, email_canonical, username, username_canonical, first_name, last_name, password_hash, roles, is_active, created_at, last_login_at)
  select gen_random_uuid(), email, email, 'user' || i, 'user' || i, (array['Ada', 'Grace', 'Alan', 'Edsger', 'Barbara', 'Donald', 'Zoe'])[1 + i % 7], 'Name' || i, '!',
    case when i % 100000 = 0 then '{user,admin}' else '{user}' end::text[], i % 250 <> 0, now() - make_interval(secs => ${size} - i),
    case when i % 10 <> 0 then now() - make_interval(secs => i::bigint * 7919 % 10000000) end
  from (select i, 'member-' || md5(i::text) || i || '@example.com' as email from generate_series(1, ${size}) i) as people`

/** What the trigger would keep, row by row. */
const search = `
  insert into user_search (user_id, email, username, name, last_name, roles, is_active)
  select id, email_canonical, username_canonical, lower(concat_ws(' ', first_name, last_name)), lower(last_name), roles, is_active
  from users on conflict do nothing`

/** Makes as many people at once, which takes a minute for a million; the index of trigrams is made anew at the end. */
export async function makeCrowd (sql: Sql, size: number): Promise<void> {
  const [index] = await sql`select pg_get_indexdef(to_regclass('user_search_trigram_idx')) as definition`
  await sql`drop index if exists user_search_trigram_idx`
  await sql`alter table users disable trigger users_keep_search`
  await sql.unsafe(crowd(size))
  await sql.unsafe(search)
  await sql`alter table users enable trigger users_keep_search`
  const definition: unknown = index?.definition
  if (typeof definition === 'string') await sql.unsafe(definition)
  await sql`vacuum analyze`
}

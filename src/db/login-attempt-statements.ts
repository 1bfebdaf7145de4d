import { sql, type SQL } from 'drizzle-orm'
import { createStatement } from './statement.ts'
import { loginAttempts } from './tables.ts'

/** Seconds that the last allowed attempt may take to be judged; longer than a hash ever waits. */
const judgementSeconds = 10

const seconds = (value: SQL) => sql`make_interval(secs => ${value}::float8)`
const keysOf = (value: SQL) => sql`string_to_array(${value}::text, ',')::bytea[]`

/**
 * A login is refused while it is locked, and from its last failure on for good; `row` is an alias of the table.
 * Every lock ends before its counter expires.
 */
const isLocked = (row: SQL, lastFailure: SQL) => sql`(${row}.expires_at > now() and (coalesce(${row}.locked_until > now(), false) or ${row}.failures >= ${lastFailure}::int))`
/** An address is refused until its window is over. */
const isCrowded = (row: SQL, addressMaxFailures: SQL) => sql`(${row}.expires_at > now() and ${row}.failures >= ${addressMaxFailures}::int)`

/**
 * Counts an attempt of a login, and then of an address unless there is none. No row where one of them is refused; a row
 * without a count of the address where that came to its limit in this moment. Whoever counts both locks their rows in this
 * order, so that nobody waits in a circle, and holds the address, which many share, for as short as can be.
 */
export const reserveStatement = createStatement<
  'key' | 'others' | 'account' | 'address' | 'maxFailures' | 'lastFailure' | 'forgetSeconds' | 'addressMaxFailures' | 'addressWindowSeconds',
  { failures: number, address_failures: number | null, address_window: string | null }
>(value => {
  const address = sql`${value('address')}::bytea`
  const others = keysOf(value('others'))
  const [l, a, o] = [sql.raw('l'), sql.raw('a'), sql.raw('o')]
  const reaches = (failures: SQL, limit: SQL) => sql`${failures} >= ${limit}::int`
  const heldUntil = (failures: SQL, limit: SQL) => sql`case when ${reaches(failures, limit)} then now() + ${seconds(sql`${judgementSeconds}`)} end`
  const forgottenAt = (failures: SQL) => sql`case when ${reaches(failures, value('lastFailure'))} then 'infinity' else now() + ${seconds(value('forgetSeconds'))} end`
  const [first, further, ofAddress] = [sql`begun.failures`, sql`case when l.expires_at <= now() then 1 else l.failures + 1 end`, sql`case when a.expires_at <= now() then 1 else a.failures + 1 end`]
  return sql`
    with begun as (
      select 1 + coalesce(max(o.failures), 0) as failures from ${loginAttempts} o where o.key = any(${others}) and o.expires_at > now()
    ), login as (
      insert into ${loginAttempts} as l (key, account_key, failures, locked_until, pending, expires_at)
      select ${value('key')}::bytea, ${value('account')}::bytea, ${first}, ${heldUntil(first, value('maxFailures'))}, ${reaches(first, value('maxFailures'))}, ${forgottenAt(first)}
      from begun
      where not exists (select 1 from ${loginAttempts} a where a.key = ${address} and ${isCrowded(a, value('addressMaxFailures'))})
        and not exists (select 1 from ${loginAttempts} o where o.key = any(${others}) and ${isLocked(o, value('lastFailure'))})
      on conflict (key) do update set failures = ${further}, locked_until = ${heldUntil(further, value('maxFailures'))},
        pending = ${reaches(further, value('maxFailures'))}, expires_at = ${forgottenAt(further)}
      where not ${isLocked(l, value('lastFailure'))}
      returning failures
    ), address as (
      insert into ${loginAttempts} as a (key, failures, locked_until, pending, expires_at)
      select ${address}, 1, ${heldUntil(sql`1`, value('addressMaxFailures'))}, ${reaches(sql`1`, value('addressMaxFailures'))}, now() + ${seconds(value('addressWindowSeconds'))}
      from login where ${address} is not null
      on conflict (key) do update set failures = ${ofAddress}, locked_until = ${heldUntil(ofAddress, value('addressMaxFailures'))},
        pending = ${reaches(ofAddress, value('addressMaxFailures'))},
        expires_at = case when a.expires_at <= now() then excluded.expires_at else a.expires_at end
      where not ${isCrowded(a, value('addressMaxFailures'))}
      returning failures, expires_at
    )
    select login.failures, address.failures as address_failures, address.expires_at::text as address_window
    from login left join address on true`
})

/** Seconds until a refused attempt makes sense again; null where nothing refuses that is not still being judged. */
export const refusalStatement = createStatement<'key' | 'others' | 'address' | 'addressMaxFailures' | 'lastFailure' | 'maxLockSeconds', { seconds: number | null }>(value => {
  const row = sql.raw('r')
  const isAddress = sql`coalesce(r.key = ${value('address')}::bytea, false)`
  return sql`
    select ceil(max(case
      when ${isAddress} then extract(epoch from r.expires_at - now())
      when r.failures >= ${value('lastFailure')}::int then ${value('maxLockSeconds')}::float8
      else extract(epoch from r.locked_until - now()) end))::int as seconds
    from ${loginAttempts} r
    where (r.key = ${value('key')}::bytea or r.key = any(${keysOf(value('others'))}) or r.key = ${value('address')}::bytea)
      and case when ${isAddress} then ${isCrowded(row, value('addressMaxFailures'))} else ${isLocked(row, value('lastFailure'))} end
      and not (r.pending and coalesce(r.locked_until > now(), false))`
})

/** Locks a login whose attempt has been judged wrong. */
export const lockStatement = createStatement<'key' | 'maxFailures' | 'lockSeconds' | 'maxLockSeconds', Record<string, never>>(value => {
  const doublings = sql`least(failures - ${value('maxFailures')}::int, 20)`
  const length = sql`least(${value('lockSeconds')}::float8 * power(2, ${doublings}), ${value('maxLockSeconds')}::float8)`
  return sql`update ${loginAttempts} set pending = false, locked_until = now() + ${seconds(length)} where key = ${value('key')}::bytea and pending`
})

/** The attempt that brought an address to its limit has been judged wrong. */
export const settleAddressStatement = createStatement<'address', Record<string, never>>(value =>
  sql`update ${loginAttempts} set pending = false where key = ${value('address')}::bytea and pending`)

/** What takes the reservation of an address back; the rows of `before` are locked before it, since what it counts is asked first. */
const takeBack = (before: SQL, value: (name: 'address' | 'window') => SQL) => sql`
  update ${loginAttempts} set failures = greatest(failures - 1, 0), locked_until = null, pending = false
  where key = ${value('address')}::bytea and expires_at = ${value('window')}::timestamptz and (select count(*) from ${before}) >= 0`

/** Takes the reservations of an attempt back that was not judged. */
export const releaseStatement = createStatement<'key' | 'address' | 'window' | 'forgetSeconds', Record<string, never>>(value => sql`
  with released as (
    update ${loginAttempts} set failures = greatest(failures - 1, 0), locked_until = case when not pending then locked_until end,
      pending = false, expires_at = now() + ${seconds(value('forgetSeconds'))}
    where key = ${value('key')}::bytea returning key
  ) ${takeBack(sql.raw('released'), value)}`)

/** Removes these counters and takes the reservation of an address back. */
export const clearStatement = createStatement<'keys' | 'address' | 'window', Record<string, never>>(value => sql`
  with cleared as (
    delete from ${loginAttempts} where key = any(${keysOf(value('keys'))}) returning key
  ) ${takeBack(sql.raw('cleared'), value)}`)

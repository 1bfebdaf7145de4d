import { join } from 'node:path'
import type postgres from 'postgres'
import type { Place } from './place.ts'
import { randomPassword, readPrivateFile, writePrivateFile } from './private-files.ts'

/** The role of the service: owns its database, may make others (tests clone templates), is no superuser. */
export const applicationRole = 'auth_serve'

/** Keeps two processes from making the same role or database. */
const provisionLock = '7021464901124'

/** Makes the service's role and database where they are missing, and returns the role's password. */
export async function provision ({ home, user }: Place, sql: postgres.Sql, database: string): Promise<string> {
  await sql`select pg_advisory_lock(${provisionLock}::bigint)`
  try {
    const passwordFile = join(home, 'password')
    const [found] = await sql<{ role: boolean, database: boolean }[]>`
      select exists (select from pg_roles where rolname = ${applicationRole}) as role,
             exists (select from pg_database where datname = ${database}) as database`
    let password = await readPrivateFile(passwordFile)
    if (password === undefined || found?.role !== true) {
      password ??= randomPassword()
      // The role first: killed in between, the next start finds no file and sets another password.
      await sql.unsafe(`${found?.role === true ? 'alter' : 'create'} role ${applicationRole} login createdb nosuperuser password '${password}'`)
      await writePrivateFile(passwordFile, password, user)
    }
    if (found?.database !== true) await sql`create database ${sql(database)} owner ${sql(applicationRole)}`
    return password
  } finally {
    await sql`select pg_advisory_unlock(${provisionLock}::bigint)`
  }
}

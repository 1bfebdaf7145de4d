import { validate } from 'uuid'
import { canonicalEmail } from '../../accounts/email.ts'
import { createAudit, type Audit, type RequestContext } from '../../audit/audit.ts'
import type { Config } from '../../config.ts'
import { createDatabase, type Database } from '../../db/stores.ts'
import type { UserRow } from '../../db/users.ts'
import { bringUp } from '../bring-up.ts'
import { CommandError } from '../exit.ts'
import type { Surroundings } from '../surroundings.ts'
import { withDatabase } from '../with-database.ts'

/** What the commands about people work with. */
export interface People {
  config: Config
  database: Database
  audit: Audit
  /** How the audit trail names the command. */
  context: RequestContext
}

/** Runs a command that changes people; the schema is brought to this release first, as the service does at its start. */
export async function withPeople<T> (surroundings: Surroundings, command: string, work: (people: People) => Promise<T>): Promise<T> {
  return await withDatabase(surroundings, async (pool, config) => {
    if (config.database.migrate) await bringUp(pool)
    const database = createDatabase(pool)
    const context = { requestId: null, ipAddress: null, userAgent: `auth-serve users ${command}` }
    return await work({ config, database, audit: createAudit(database, () => {}), context })
  })
}

/** The person of this id or e-mail address. Throws CommandError where there is none. */
export async function findPerson ({ users }: Pick<Database, 'users'>, idOrEmail: string): Promise<UserRow> {
  const email = canonicalEmail(idOrEmail)
  const row = validate(idOrEmail)
    ? await users.findById(idOrEmail)
    : email === undefined ? undefined : await users.findByEmail(email)
  if (row === undefined) throw new CommandError(`There is no user ${idOrEmail}.`)
  return row
}

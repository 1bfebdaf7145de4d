import { readFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { EmbeddedPostgresError, hasCode } from './errors.ts'

/** The operating system's user as whom PostgreSQL runs when the service itself is root. */
export interface OsUser { name: string, uid: number, gid: number }

const waysOut = 'Either give that uid a passwd entry (or run the service as a user that has one), or set DATABASE_URL.'

/** Whether this process is root, as which PostgreSQL refuses to run. */
export function isRoot (): boolean {
  return process.getuid?.() === 0
}

/**
 * The user for a new database under root: `postgres`, else `nobody`.
 *
 * @throws EmbeddedPostgresError when the system has neither.
 */
export async function defaultDatabaseUser (passwd = '/etc/passwd'): Promise<OsUser> {
  const users = await readUsers(passwd)
  const user = users.find(({ name }) => name === 'postgres') ?? users.find(({ name }) => name === 'nobody')
  if (user !== undefined) return user
  throw new EmbeddedPostgresError(
    'PostgreSQL does not run as root, and this system has neither a user "postgres" nor "nobody". ' +
    'Either run the service as another user that has a passwd entry, or set DATABASE_URL.')
}

/** The user who owns an existing database; a uid without a name is named by its number. */
export async function ownerAsUser (owner: { uid: number, gid: number }): Promise<OsUser> {
  const known = (await readUsers('/etc/passwd')).find(({ uid }) => uid === owner.uid)
  return known ?? { name: `uid ${owner.uid}`, uid: owner.uid, gid: owner.gid }
}

/**
 * initdb looks its user up by name, also where a name is given.
 *
 * @throws EmbeddedPostgresError when this process runs under a uid that has no passwd entry.
 */
export function assertNamedUser (): void {
  try {
    userInfo()
  } catch (cause) {
    throw new EmbeddedPostgresError(
      `PostgreSQL cannot make a database as uid ${process.getuid?.()}, because that uid has no passwd entry. ${waysOut}`, { cause })
  }
}

async function readUsers (passwd: string): Promise<OsUser[]> {
  const text = await readFile(passwd, 'utf8').catch((err: unknown) => {
    if (hasCode(err, 'ENOENT')) return ''
    throw err
  })
  return text.split('\n').flatMap(line => {
    const [name = '', , uid, gid] = line.split(':')
    return uid && gid ? [{ name, uid: Number(uid), gid: Number(gid) }] : []
  })
}

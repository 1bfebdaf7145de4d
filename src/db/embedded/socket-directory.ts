import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { privateDirectory } from './directories.ts'
import type { OsUser } from './os-user.ts'

/** PostgreSQL names its socket after a port, whether or not it listens on it. */
export const port = 5432

/** What a unix socket's path may measure in bytes, without the closing NUL. */
const longestSocketPath = process.platform === 'darwin' ? 103 : 107

/**
 * Makes the directory of the socket, which only the database's user can enter: `socket` inside `home`, or, where that
 * path is too long or has characters that the driver or a setting would read as something else, one under `/tmp` that
 * is named after `home`. (Not under `TMPDIR`: every process of one database has to find the same directory.)
 *
 * @throws EmbeddedPostgresError when somebody else made that directory.
 */
export async function prepareSocketDirectory (home: string, user: OsUser | undefined): Promise<string> {
  const inside = join(home, 'socket')
  const directory = isSocketPath(join(inside, `.s.PGSQL.${port}`)) ? inside : `/tmp/auth-serve-${pathHash(home)}`
  await privateDirectory(directory, user)
  return directory
}

/** A short name for a path. */
export function pathHash (path: string): string {
  return createHash('sha256').update(path).digest('hex').slice(0, 16)
}

function isSocketPath (path: string): boolean {
  return Buffer.byteLength(path) <= longestSocketPath && /^[\w/.@+-]+$/.test(path)
}

import { constants } from 'node:fs'
import { lstat, mkdir, open, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { EmbeddedPostgresError, hasCode } from './errors.ts'
import type { OsUser } from './os-user.ts'

/**
 * Makes a directory that only its owner can enter, or checks the one that is there. As root it is given to `user`.
 * Everything after the open acts on the handle, so nobody can swap a link in between.
 *
 * @throws EmbeddedPostgresError on a symbolic link, on another kind of file, and on a directory of somebody else.
 */
export async function privateDirectory (path: string, user: OsUser | undefined, mode = 0o700): Promise<void> {
  await mkdir(path, { mode }).catch(ignore('EEXIST'))
  const handle = await openDirectory(path)
  try {
    const found = await handle.stat()
    const self = process.getuid?.() ?? found.uid
    const owner = user?.uid ?? self
    if (found.uid !== owner && found.uid !== self) {
      throw new EmbeddedPostgresError(
        `${path} belongs to uid ${found.uid}, not to uid ${owner}: run the service as the user who made it, or remove it if it is not yours.`)
    }
    if (user !== undefined && found.uid !== owner) await handle.chown(user.uid, user.gid)
    if ((found.mode & 0o777) !== mode) await handle.chmod(mode)
  } finally {
    await handle.close()
  }
}

/** Lets every user pass through a directory of ours, without letting them list it. */
export async function makeTraversable (path: string): Promise<void> {
  const handle = await openDirectory(path)
  try {
    const { mode } = await handle.stat()
    await handle.chmod((mode & 0o777) | 0o011)
  } finally {
    await handle.close()
  }
}

/** Refuses a symbolic link, and anything else that is no directory; what does not exist yet is fine. */
export async function refuseLink (path: string): Promise<void> {
  const found = await lstat(path).catch(ignore('ENOENT'))
  if (found === undefined || found.isDirectory()) return
  throw new EmbeddedPostgresError(found.isSymbolicLink()
    ? `${path} is a symbolic link where a directory is expected: name the directory itself, or remove the link.`
    : `${path} is a file where a directory is expected: remove it, or name another directory.`)
}

/** Whether `user` may pass through `path` and every directory above it, judged by their modes. */
export async function canEnter (path: string, user: OsUser): Promise<boolean> {
  const { mode, uid, gid } = await stat(path)
  const bit = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001
  if ((mode & bit) === 0) return false
  const parent = dirname(path)
  return parent === path || await canEnter(parent, user)
}

/** A catch handler that swallows these codes, so that the promise becomes `undefined`. */
export function ignore (...codes: string[]): (err: unknown) => undefined {
  return err => {
    if (!hasCode(err, ...codes)) throw err
    return undefined
  }
}

async function openDirectory (path: string) {
  await refuseLink(path)
  return await open(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
}

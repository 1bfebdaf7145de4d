import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { open, readdir, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { ignore } from './directories.ts'
import type { OsUser } from './os-user.ts'

/** The ending of whatever is being made: leftovers of a killed process are known by it. */
const unfinished = '.tmp'

/** A path beside `path` to make something under before it gets its name. */
export function unfinishedPath (path: string): string {
  return `${path}.${randomBytes(6).toString('hex')}${unfinished}`
}

/** Removes what killed processes left half-made in a directory. Call it under the directory's lock. */
export async function removeUnfinished (directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    // An initdb that outlived its killed parent may still be writing: the next start has another try.
    if (name.endsWith(unfinished)) await rm(join(directory, name), { recursive: true, force: true, maxRetries: 3 }).catch(ignore('ENOTEMPTY'))
  }
}

/** Writes a file of mode 0600 for `user` in one step: after a crash there is the old content or the new, never a part. */
export async function writePrivateFile (path: string, content: string | Buffer, user: OsUser | undefined): Promise<void> {
  const temporary = unfinishedPath(path)
  const handle = await open(temporary, 'wx', 0o600)
  try {
    await handle.writeFile(content)
    if (user !== undefined) await handle.chown(user.uid, user.gid)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await renameDurably(temporary, path)
}

/** Reads a file without following a link; `undefined` when there is none. */
export async function readPrivateFile (path: string): Promise<string | undefined> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW).catch(ignore('ENOENT'))
  if (handle === undefined) return undefined
  try {
    return await handle.readFile('utf8')
  } finally {
    await handle.close()
  }
}

/** Renames, and makes the new name survive a power failure. */
export async function renameDurably (from: string, to: string): Promise<void> {
  await rename(from, to)
  const directory = await open(dirname(to), constants.O_RDONLY)
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

/** A password of 256 random bits, in characters that need no quoting anywhere. */
export function randomPassword (): string {
  return randomBytes(32).toString('hex')
}

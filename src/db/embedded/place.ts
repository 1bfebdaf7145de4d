import { lstat, mkdir, realpath } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { daemonDirectory, makeDaemonDirectory } from './daemon-directory.ts'
import { canEnter, ignore, makeTraversable, privateDirectory, refuseLink } from './directories.ts'
import { EmbeddedPostgresError, hasCode } from './errors.ts'
import type { EmbeddedLog } from './log.ts'
import { defaultDatabaseUser, isRoot, ownerAsUser, type OsUser } from './os-user.ts'
import { readPrivateFile, writePrivateFile } from './private-files.ts'
import { pathHash, prepareSocketDirectory } from './socket-directory.ts'

/** Where one database lives, and as whom it runs. */
export interface Place {
  /** `DATA_DIR/pg`, or what stands for it where the database's user cannot reach `DATA_DIR`. */
  home: string
  /** PostgreSQL's own data directory. */
  cluster: string
  socketDirectory: string
  /** The user of PostgreSQL's programs; `undefined`: the one of this process. */
  user: OsUser | undefined
}

/**
 * Finds the database of `dataDir`, or decides where a new one goes, and makes the directories.
 *
 * @param newUser who gets a new database when this process is root; by default `postgres`, else `nobody`.
 * @throws EmbeddedPostgresError when the directories are not usable.
 */
export async function preparePlace (dataDir: string, log: EmbeddedLog, newUser?: OsUser): Promise<Place> {
  try {
    const directory = await prepareDataDirectory(resolve(dataDir))
    const { home, user } = isRoot() ? await placeUnderRoot(directory, log, newUser) : { home: join(directory, 'pg'), user: undefined }
    await privateDirectory(home, user)
    return { home, cluster: join(home, 'cluster'), socketDirectory: await prepareSocketDirectory(home, user), user }
  } catch (cause) {
    if (!hasCode(cause, 'EACCES', 'EPERM', 'EROFS', 'ENOTDIR')) throw cause
    throw new EmbeddedPostgresError(
      `The data directory ${dataDir} is not usable by this user (${cause instanceof Error ? cause.message : ''}): ` +
      'set DATA_DIR to a directory of its own, run as the user who owns it, or set DATABASE_URL.', { cause })
  }
}

async function prepareDataDirectory (path: string): Promise<string> {
  await refuseLink(path)
  await mkdir(dirname(path), { recursive: true })
  await mkdir(path, { mode: 0o700 }).catch(ignore('EEXIST'))
  await refuseLink(path)
  return join(await realpath(dirname(path)), basename(path))
}

async function placeUnderRoot (directory: string, log: EmbeddedLog, newUser?: OsUser): Promise<{ home: string, user: OsUser }> {
  const pointer = join(directory, 'pg.location')
  const elsewhere = await readPointer(pointer)
  const home = elsewhere ?? join(directory, 'pg')
  await refuseLink(home)
  const found = await lstat(home).catch(ignore('ENOENT'))
  // Whoever owns a database keeps it, so that a start as root takes it away from nobody.
  const user = found !== undefined && found.uid !== 0 ? await ownerAsUser(found) : newUser ?? await defaultDatabaseUser()
  if (user.name === 'nobody') {
    log.warn({ user: user.name }, 'PostgreSQL runs as "nobody", so every process of that user owns the data; a user "postgres" would keep it apart')
  }
  if (elsewhere === undefined && await canEnter(dirname(directory), user)) {
    if (!await canEnter(directory, user)) await makeTraversable(directory)
    return { home, user }
  }
  if (elsewhere === undefined && found !== undefined) {
    throw new EmbeddedPostgresError(
      `The database in ${home} belongs to the user "${user.name}", who cannot enter a directory above it: ` +
      'give that user the right to pass (chmod o+x), or move DATA_DIR.')
  }
  const reachable = elsewhere ?? await moveOut(directory, pointer, user)
  log.warn({ directory: reachable, dataDir: directory, user: user.name }, 'the database lives outside DATA_DIR, because its user cannot enter a directory above it')
  return { home: reachable, user }
}

/** Where the data went earlier. Only a place of our own making counts: what is there is about to change its owner. */
async function readPointer (pointer: string): Promise<string | undefined> {
  const home = (await readPrivateFile(pointer))?.trim()
  if (home === undefined || (dirname(home) === daemonDirectory && /^[0-9a-f]{16}$/.test(basename(home)))) return home
  throw new EmbeddedPostgresError(`${pointer} does not name a directory of the service in ${daemonDirectory}: restore it, or remove it if it is not yours.`)
}

/** Chooses a place for the data that `user` can reach, and notes it in `DATA_DIR`: it stays the place from then on. */
async function moveOut (directory: string, pointer: string, user: OsUser): Promise<string> {
  if (!await makeDaemonDirectory()) {
    throw new EmbeddedPostgresError(`The user "${user.name}" cannot enter ${directory}, and ${daemonDirectory} is not writable: set DATA_DIR to a directory that this user can reach.`)
  }
  const home = join(daemonDirectory, pathHash(directory))
  await writePrivateFile(pointer, `${home}\n`, undefined)
  return home
}

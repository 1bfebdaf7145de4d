import { constants } from 'node:fs'
import { access, chmod, cp, readdir, readFile, rename, symlink } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { daemonDirectory, makeDaemonDirectory } from './daemon-directory.ts'
import { ignore } from './directories.ts'
import { EmbeddedPostgresError, hasCode } from './errors.ts'
import type { EmbeddedLog } from './log.ts'
import type { OsUser } from './os-user.ts'
import type { PlatformPackage } from './platform-package.ts'
import { removeUnfinished, unfinishedPath } from './private-files.ts'
import { runProgram } from './run-program.ts'
import { withLock } from './start-lock.ts'

/**
 * The directory with `initdb` and `pg_ctl` in a place and a state in which the database's user can run them: the
 * installed package if possible, else a copy, made once for each version. Call it under the start lock.
 *
 * @throws EmbeddedPostgresError when they do not run on this system.
 */
export async function runnableBinaries (pkg: PlatformPackage, home: string, user: OsUser | undefined, log: EmbeddedLog): Promise<string> {
  const native = join(pkg.directory, 'native')
  let problem = await whyNotRunnable(native, pkg, user)
  if (problem === 'denied') {
    const copy = await stage(native, pkg, home, user, log)
    problem = await whyNotRunnable(copy, pkg, user)
    if (problem === undefined) return join(copy, 'bin')
  }
  if (problem === undefined) return join(native, 'bin')
  throw new EmbeddedPostgresError(`The embedded PostgreSQL does not run on this system (${problem}): set DATABASE_URL to a PostgreSQL server of your own.`)
}

/** `denied` when a copy elsewhere would help, or what the program said; `undefined` when it runs. */
async function whyNotRunnable (native: string, pkg: PlatformPackage, user: OsUser | undefined): Promise<string | undefined> {
  try {
    await linkLibraries(native, pkg)
    const { code, output } = await runProgram(join(native, 'bin', 'postgres'), ['--version'], { user })
    if (code === 0) return undefined
    return output.includes('Permission denied') ? 'denied' : output
  } catch (err) {
    if (hasCode(err, 'EACCES', 'EPERM', 'EROFS')) return 'denied'
    return err instanceof Error ? err.message : String(err)
  }
}

/** Makes the symbolic links that the package lists and that its postinstall script would have made. */
async function linkLibraries (native: string, pkg: PlatformPackage): Promise<void> {
  const list: unknown = JSON.parse(await readFile(join(pkg.directory, 'native', 'pg-symlinks.json'), 'utf8').catch(ignore('ENOENT')) ?? '[]')
  for (const { source, target } of Array.isArray(list) ? list.filter(isLink) : []) {
    // Both paths are relative to the package, lie in one directory and begin with "native/".
    const path = join(native, target.replace(/^native\//, ''))
    if (await exists(path)) continue
    await symlink(basename(source), path).catch(ignore('EEXIST'))
  }
}

function isLink (item: unknown): item is { source: string, target: string } {
  return item !== null && typeof item === 'object' &&
    'source' in item && typeof item.source === 'string' && 'target' in item && typeof item.target === 'string'
}

/** Copies the binaries to where `user` can run them, unless that was done for this version before. */
async function stage (native: string, pkg: PlatformPackage, home: string, user: OsUser | undefined, log: EmbeddedLog): Promise<string> {
  const name = `postgresql-${pkg.version}`
  if (user === undefined || !await makeDaemonDirectory()) return await copyOnce(native, join(home, name), log)
  return await withLock(daemonDirectory, async () => {
    await removeUnfinished(daemonDirectory)
    return await copyOnce(native, join(daemonDirectory, name), log)
  })
}

async function copyOnce (native: string, target: string, log: EmbeddedLog): Promise<string> {
  if (await exists(target)) return target
  const temporary = unfinishedPath(target)
  await cp(native, temporary, {
    recursive: true,
    verbatimSymlinks: true,
    mode: constants.COPYFILE_FICLONE,
    filter: source => !source.endsWith('.a')
  })
  // A checkout made under umask 077 would carry its closed modes along.
  await chmod(temporary, 0o755)
  for (const entry of await readdir(temporary, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    if (entry.isDirectory() || basename(entry.parentPath) === 'bin') await chmod(path, 0o755)
    else if (entry.isFile()) await chmod(path, 0o644)
  }
  await rename(temporary, target)
  log.info({ from: native, to: target }, 'copied the PostgreSQL binaries to a directory that the database user can reach')
  return target
}

async function exists (path: string): Promise<boolean> {
  return await access(path).then(() => true, () => false)
}

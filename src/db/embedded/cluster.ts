import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { EmbeddedPostgresError } from './errors.ts'
import { assertNamedUser } from './os-user.ts'
import type { Place } from './place.ts'
import { randomPassword, readPrivateFile, renameDurably, unfinishedPath, writePrivateFile } from './private-files.ts'
import { runProgram } from './run-program.ts'
import { clientAuthentication, includeSettings } from './settings.ts'

/** The role that initdb makes. Only this module uses it; the service works as a role without its rights. */
export const superuser = 'postgres'

/** The file with the superuser's password. */
export function superuserPasswordFile ({ home }: Place): string {
  return join(home, 'superuser-password')
}

/** The major version of PostgreSQL that made the database's files, `undefined` when there is no database yet. */
export async function clusterVersion ({ cluster }: Place): Promise<string | undefined> {
  return (await readPrivateFile(join(cluster, 'PG_VERSION')))?.trim()
}

/** @throws EmbeddedPostgresError when the files are of another major version: PostgreSQL cannot read them. */
export async function checkVersion (place: Place, major: string): Promise<void> {
  const version = await clusterVersion(place)
  if (version === undefined || version === major) return
  throw new EmbeddedPostgresError(
    `The database in ${place.cluster} was made by PostgreSQL ${version}, and this release brings PostgreSQL ${major}. ` +
    'Dump it with the old release that made it, move the directory away, and restore the dump with this one; or set DATABASE_URL.')
}

/** Makes the database's files, all or none, under the start lock: initdb works beside the final name. */
export async function createCluster (place: Place, binaries: string, fsync: boolean): Promise<void> {
  const { home, cluster, user } = place
  if (user === undefined) assertNamedUser()
  // Written before the files it opens, and kept: a killed initdb does no harm to it.
  const passwordFile = superuserPasswordFile(place)
  if (await readPrivateFile(passwordFile) === undefined) await writePrivateFile(passwordFile, randomPassword(), user)
  const unfinished = unfinishedPath(cluster)
  const { code, output } = await runProgram(join(binaries, 'initdb'), [
    `--pgdata=${unfinished}`, `--username=${superuser}`, `--pwfile=${passwordFile}`, '--auth=scram-sha-256',
    // PostgreSQL's own collation: an upgrade of the system's C library cannot break an index.
    '--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8',
    '--no-instructions', ...fsync ? [] : ['--no-sync']
  ], { user })
  if (code !== 0) throw new EmbeddedPostgresError(`PostgreSQL could not make a database in ${home}. initdb said: ${output}`)
  await overwrite(join(unfinished, 'postgresql.conf'), includeSettings)
  await overwrite(join(unfinished, 'pg_hba.conf'), clientAuthentication)
  await renameDurably(unfinished, cluster)
}

/** Keeps the file's owner, which a new file of a root process would not have. */
async function overwrite (path: string, content: string): Promise<void> {
  const handle = await open(path, constants.O_WRONLY | constants.O_TRUNC | constants.O_NOFOLLOW)
  try {
    await handle.writeFile(content)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

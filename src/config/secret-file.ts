import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { chmod, link, mkdir, open, rm } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { secretMinLength } from './declaration.ts'
import { ConfigError } from './error.ts'

/** A new secret: 256 random bits in base64url, fit for AUTH_SECRET. */
export function generateSecret (): string {
  return randomBytes(32).toString('base64url')
}

/**
 * The secret that a service without AUTH_SECRET keeps in `dataDir`/secret (mode 0600), made at the first call. Several
 * processes that come at once agree on one; a crash leaves either none or a whole one.
 *
 * @throws ConfigError when the file is a symlink, is open to others, is damaged or cannot be read or made.
 */
export async function readOrCreateSecret (dataDir: string): Promise<string> {
  const file = join(dataDir, 'secret')
  try {
    return await readSecret(file) ?? await createSecret(dataDir, file)
  } catch (error) {
    if (error instanceof ConfigError) throw error
    throw new ConfigError([`The secret ${file} cannot be read or made (${codeOf(error)}): give DATA_DIR to the user of the service, or set AUTH_SECRET`])
  }
}

async function createSecret (dataDir: string, file: string): Promise<string> {
  // 0711 whatever the umask says: the database user must pass through to DATA_DIR/pg, and nobody may list the folder.
  if (await mkdir(dataDir, { recursive: true, mode: 0o711 }) !== undefined) await chmod(dataDir, 0o711)
  const draft = `${file}.${process.pid}.${randomBytes(6).toString('hex')}`
  try {
    const handle = await open(draft, 'wx', 0o600)
    try {
      await handle.writeFile(`${generateSecret()}\n`)
      await handle.sync()
    } finally {
      await handle.close()
    }
    // link never replaces, so the first process wins and no other ever sees half a file.
    await link(draft, file).catch(error => { if (codeOf(error) !== 'EEXIST') throw error })
  } finally {
    await rm(draft, { force: true })
  }
  await syncFolder(dataDir)
  const secret = await readSecret(file)
  if (secret === undefined) throw new ConfigError([`The secret ${file} vanished while it was made: start again`])
  return secret
}

/** Makes the new name survive a power cut: signing keys encrypted under a lost secret would be lost with it. */
async function syncFolder (folder: string): Promise<void> {
  const handle = await open(folder, constants.O_RDONLY)
  await handle.sync().finally(async () => { await handle.close() })
}

async function readSecret (file: string): Promise<string | undefined> {
  const handle = await openSafely(file)
  if (handle === undefined) return undefined
  try {
    const stat = await handle.stat()
    if (!stat.isFile()) throw new ConfigError([`The secret ${file} is not a regular file: remove it, or set AUTH_SECRET`])
    if ((stat.mode & 0o077) !== 0) {
      throw new ConfigError([`The secret ${file} is open to other users (mode ${(stat.mode & 0o777).toString(8)}): if nobody can have read it, chmod 600 it; else replace it`])
    }
    const secret = (await handle.readFile('utf8')).trim()
    if (!new RegExp(`^[A-Za-z0-9_-]{${secretMinLength},}$`).test(secret)) {
      throw new ConfigError([`The secret ${file} is damaged: restore it from a backup; without one, remove it, and what was encrypted with it is lost`])
    }
    return secret
  } finally {
    await handle.close()
  }
}

/** Opens for reading without following a symlink and without waiting on a pipe; undefined where there is nothing. */
async function openSafely (file: string): Promise<FileHandle | undefined> {
  try {
    return await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    if (codeOf(error) === 'ELOOP') throw new ConfigError([`The secret ${file} is a symlink: put the file itself there, or set AUTH_SECRET`])
    throw error
  }
}

function codeOf (error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : error
}

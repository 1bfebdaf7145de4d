import { constants } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { hasCode } from './errors.ts'
import type { Place } from './place.ts'
import { writePrivateFile } from './private-files.ts'

const largestLog = 8 * 1024 * 1024

/** Opens PostgreSQL's own log for appending; the server keeps the file open for its whole life. */
export async function openServerLog ({ home, user }: Place): Promise<FileHandle> {
  const handle = await open(join(home, 'server.log'), constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW, 0o600)
  if (user !== undefined) await handle.chown(user.uid, user.gid)
  return handle
}

/** What the log says from byte `position` on, the last 2000 characters of it. */
export async function readLogFrom (handle: FileHandle, position: number): Promise<string> {
  const { size } = await handle.stat()
  const buffer = Buffer.alloc(Math.max(0, size - position))
  await handle.read(buffer, 0, buffer.length, position)
  return buffer.toString('utf8').trim().slice(-2000)
}

/** Moves a log of more than 8 MiB to `server.log.1`. The server goes on appending to the emptied file. */
export async function boundServerLog (place: Place): Promise<void> {
  const handle = await openServerLog(place)
  try {
    if ((await handle.stat()).size <= largestLog) return
    await writePrivateFile(join(place.home, 'server.log.1'), await handle.readFile(), place.user)
    await handle.truncate(0)
  } finally {
    await handle.close()
  }
}

/** Bounds the log every minute until the returned function is called. Never keeps the process alive. */
export function keepServerLogBounded (place: Place, onError: (err: unknown) => void): () => void {
  const timer = setInterval(() => {
    boundServerLog(place).catch((err: unknown) => { if (!hasCode(err, 'ENOENT')) onError(err) })
  }, 60_000)
  timer.unref()
  return () => { clearInterval(timer) }
}

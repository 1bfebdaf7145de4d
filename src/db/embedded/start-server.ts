import { constants } from 'node:fs'
import { open, readFile, unlink, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { connectAdmin } from './admin-connection.ts'
import { ignore } from './directories.ts'
import { EmbeddedPostgresError } from './errors.ts'
import type { Place } from './place.ts'
import { readPrivateFile, writePrivateFile } from './private-files.ts'
import { runProgram } from './run-program.ts'
import { boundServerLog, openServerLog, readLogFrom } from './server-log.ts'
import { serverSettings } from './settings.ts'
import { port } from './socket-directory.ts'

/** A server that lost its lock file ends itself within a minute (RecheckDataDirLockFile in PostgreSQL). */
const waitMs = 90_000
/** Above the largest pid of Linux (4 194 304) and macOS (99 998). */
const unusedPid = '2147483647'

/**
 * Starts the server under the start lock and waits until it takes connections, after a crash too.
 *
 * @throws EmbeddedPostgresError with what PostgreSQL said when it does not start.
 */
export async function startServer (place: Place, binaries: string, fsync: boolean): Promise<void> {
  await writePrivateFile(join(place.home, 'server.conf'), serverSettings(place.socketDirectory, fsync), place.user)
  await boundServerLog(place)
  const log = await openServerLog(place)
  try {
    const deadline = Date.now() + waitMs
    for (;;) {
      const problem = await tryStart(place, binaries, log)
      if (problem === undefined) return
      if (/(lock|PID) file ".*" (already exists|is empty)/.test(problem)) {
        if (await appears(place)) return
        await disownLockFiles(place)
      } else if (!problem.includes('is still in use') || Date.now() > deadline) {
        throw new EmbeddedPostgresError(`PostgreSQL in ${place.home} does not start. It said: ${problem}`)
      } else {
        // Processes of an old server still live: killed, or cut off from its socket, they are on their way out.
        await delay(100)
      }
    }
  } finally {
    await log.close()
  }
}

/** Runs pg_ctl, which gives the server a session of its own, so that a terminal's Ctrl-C goes to the service only. */
async function tryStart ({ cluster, user }: Place, binaries: string, log: FileHandle): Promise<string | undefined> {
  const { size } = await log.stat()
  const { code } = await runProgram(join(binaries, 'pg_ctl'), ['start', '--silent', '--wait', '--timeout=300'], {
    user, dataDirectory: cluster, output: log.fd
  })
  return code === 0 ? undefined : await readLogFrom(log, size)
}

/** Whether the server that a lock file speaks of comes to listen: a killed service may have left it starting. */
async function appears (place: Place): Promise<boolean> {
  const deadline = Date.now() + 2_000
  while (await mayBeServer(place) && Date.now() < deadline) {
    const attempt = await connectAdmin(place)
    if (attempt === 'busy') return true
    if (attempt !== 'absent') {
      await attempt.sql.end({ timeout: 0 })
      return true
    }
    await delay(20)
  }
  return false
}

/** False when the pid in the file is surely no server's: it is gone, a zombie or another program. Only saves a wait. */
async function mayBeServer ({ cluster }: Place): Promise<boolean> {
  if (process.platform !== 'linux') return true
  const pid = Number.parseInt(await readPrivateFile(join(cluster, 'postmaster.pid')) ?? '')
  const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(ignore('ENOENT', 'ESRCH'))
  return status !== undefined && / \(postgres\) [^XZ]/.test(status)
}

/**
 * A crashed server's pid may belong to another process by now, above all in a restarted container, and PostgreSQL then
 * refuses to start. Nobody listens on the socket, so the pid is replaced by one that no system gives out. The rest of
 * the file stays: with it PostgreSQL checks whether processes of the old server still use its shared memory.
 */
async function disownLockFiles ({ cluster, socketDirectory }: Place): Promise<void> {
  await unlink(join(socketDirectory, `.s.PGSQL.${port}.lock`)).catch(ignore('ENOENT'))
  const path = join(cluster, 'postmaster.pid')
  const handle = await open(path, constants.O_RDWR | constants.O_NOFOLLOW).catch(ignore('ENOENT'))
  if (handle === undefined) return
  try {
    const text = await handle.readFile('utf8')
    // One write of a longer text: killed here, we leave the old file or the new.
    if (text !== '') await handle.write(text.replace(/^\d+/, unusedPid), 0)
    else await unlink(path)
  } finally {
    await handle.close()
  }
}

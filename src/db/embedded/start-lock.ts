import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readdir, stat, symlink, unlink } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { ignore } from './directories.ts'
import { EmbeddedPostgresError, hasCode } from './errors.ts'

const waitMs = 300_000

/**
 * Runs `work` while no other process runs its own under the lock of the same directory.
 *
 * Node.js has no flock(2), and a pid says nothing after a restart or in another container. So whoever holds the lock
 * listens on a unix socket `lock-<random>`, to which the link `lock.<generation>` points: the kernel closes the socket
 * with its process, however that ends. A generation is taken once, by the atomic making of its link, and only when the
 * newest one is dead; the newest link is never removed, so nobody can mistake an older generation for the newest.
 *
 * @throws EmbeddedPostgresError when the lock does not come free within 5 minutes.
 */
export async function withLock<T> (directory: string, work: () => Promise<T>): Promise<T> {
  const name = `lock-${randomBytes(4).toString('hex')}`
  const server = createServer(socket => socket.destroy())
  // Writable for all, or the socket of a root process would look alive to others for ever; the directory is the guard.
  server.listen({ path: join(directory, name), readableAll: true, writableAll: true })
  await once(server, 'listening')
  try {
    const generation = await takeNextGeneration(directory, name)
    await removeOlder(directory, generation)
    return await work()
  } finally {
    // Removes the socket too, and leaves the link dangling: the lock is free.
    server.close()
    await once(server, 'close')
  }
}

async function takeNextGeneration (directory: string, name: string): Promise<number> {
  const deadline = Date.now() + waitMs
  while (Date.now() < deadline) {
    const newest = await newestGeneration(directory)
    if (newest > 0 && await isAlive(join(directory, `lock.${newest}`))) {
      await delay(20)
      continue
    }
    const mine = newest + 1
    const link = join(directory, `lock.${mine}`)
    const taken = await symlink(name, link).then(() => true, ignore('EEXIST'))
    if (taken !== true) continue
    // Between our look and our link others may have come and gone, and removed the generation that we then took again.
    if (await newestGeneration(directory) === mine) return mine
    await unlink(link).catch(ignore('ENOENT'))
  }
  throw new EmbeddedPostgresError(`Another process has been starting or stopping the database of ${directory} for 5 minutes: look for one that hangs.`)
}

async function newestGeneration (directory: string): Promise<number> {
  return Math.max(0, ...(await generations(directory)))
}

async function generations (directory: string): Promise<number[]> {
  const names = await readdir(directory)
  return names.flatMap(name => /^lock\.\d+$/.test(name) ? [Number(name.slice('lock.'.length))] : [])
}

async function removeOlder (directory: string, generation: number): Promise<void> {
  for (const older of (await generations(directory)).filter(found => found < generation)) {
    await unlink(join(directory, `lock.${older}`)).catch(ignore('ENOENT'))
  }
  for (const path of (await readdir(directory)).filter(name => name.startsWith('lock-')).map(name => join(directory, name))) {
    const found = await stat(path).catch(ignore('ENOENT'))
    // A socket is bound before it listens: a young one is not dead but not yet alive.
    if (found === undefined || Date.now() - found.ctimeMs < 60_000 || await isAlive(path)) continue
    await unlink(path).catch(ignore('ENOENT'))
  }
}

async function isAlive (path: string): Promise<boolean> {
  const socket = connect(path)
  try {
    await once(socket, 'connect')
    return true
  } catch (err) {
    return !hasCode(err, 'ENOENT', 'ECONNREFUSED')
  } finally {
    socket.destroy()
  }
}

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { openSync, closeSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { get } from 'node:http'
import { createServer } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

/** How a server is started: a program of Node, its arguments, its environment, and the file that takes its output. */
export interface Program { file: string, args: string[], env: Record<string, string>, output: string }

export interface ServerProcess {
  url: string
  /** Milliseconds from the start of the process to the first answer 200 of /readiness. */
  readyAfterMs: number
  /** Resident memory in MiB, from /proc; undefined where the system has none. */
  rssMib (): Promise<number | undefined>
  /** Processor time so far in milliseconds, all threads; undefined where the system does not tell. */
  cpuMs (): Promise<number | undefined>
  stop (): Promise<void>
}

const pollMs = 5
const patienceMs = 60_000
/** Linux counts the times in /proc/<pid>/stat in hundredths of a second, whatever the kernel's own clock. */
const msPerTick = 10

async function freePort (): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  return typeof address === 'object' && address !== null ? address.port : 0
}

const isReady = async (url: string): Promise<boolean> => await new Promise(resolve => {
  get(`${url}/readiness`, response => {
    response.resume()
    resolve(response.statusCode === 200)
  }).on('error', () => resolve(false))
})

const inProc = async (child: ChildProcess, name: string): Promise<string | undefined> =>
  await readFile(`/proc/${child.pid}/${name}`, 'utf8').catch(() => undefined)

/** Starts a server as a process of its own and waits until it is ready. */
export async function startServer ({ file, args, env, output }: Program): Promise<ServerProcess> {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const { PATH, HOME } = process.env
  const log = openSync(output, 'a')
  const begin = performance.now()
  const child = spawn(process.execPath, [file, ...args], {
    env: { PATH, HOME, NODE_ENV: 'production', HOST: '127.0.0.1', PORT: String(port), ...env },
    stdio: ['ignore', log, log]
  })
  closeSync(log)
  const exited = once(child, 'exit')
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM')
    await exited
  }
  while (!await isReady(url)) {
    if (child.exitCode !== null) throw new Error(`${file} ended at once:\n${await readFile(output, 'utf8')}`)
    if (performance.now() - begin > patienceMs) {
      await stop()
      throw new Error(`${file} does not get ready:\n${await readFile(output, 'utf8')}`)
    }
    await delay(pollMs)
  }
  return {
    url,
    readyAfterMs: performance.now() - begin,
    async rssMib () {
      const kib = /^VmRSS:\s+(\d+) kB$/m.exec(await inProc(child, 'status') ?? '')?.[1]
      return kib === undefined ? undefined : Number(kib) / 1024
    },
    async cpuMs () {
      // The name of the program comes first, in parentheses, and may hold anything.
      const [, user, system] = /\) (?:\S+ ){11}(\d+) (\d+) /.exec(await inProc(child, 'stat') ?? '') ?? []
      return user === undefined ? undefined : (Number(user) + Number(system)) * msPerTick
    },
    stop
  }
}

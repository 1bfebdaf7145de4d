import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { packageRoot } from '../../src/package-root.ts'
import { until } from './until.ts'

/** The compiled command line of this very build. */
export const cli = join(import.meta.dirname, '../../src/cli.js')

/** An environment without any setting of ours but these. */
export function cleanEnv (settings: Record<string, string>): NodeJS.ProcessEnv {
  const { PATH, HOME, NODE_V8_COVERAGE } = process.env
  return { PATH, HOME, NODE_V8_COVERAGE, ...settings }
}

export async function temporaryFolder (t: Test): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'auth-serve-'))
  t.teardown(async () => { await rm(folder, { recursive: true, force: true, maxRetries: 5 }) })
  return folder
}

export async function freePort (): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  return typeof address === 'object' && address !== null ? address.port : 0
}

export interface Finished { code: number | null, stdout: string, stderr: string }

/** Runs a command to its end. */
export async function run (args: string[], env: Record<string, string>, input = '', program = process.execPath): Promise<Finished> {
  const child = spawn(program, args, { cwd: packageRoot, env: cleanEnv(env) })
  const [stdout, stderr] = [collect(child, 'stdout'), collect(child, 'stderr')]
  child.stdin?.end(input)
  const [code] = await once(child, 'close')
  return { code, stdout: stdout(), stderr: stderr() }
}

function collect (child: ChildProcess, stream: 'stdout' | 'stderr'): () => string {
  let text = ''
  child[stream]?.setEncoding('utf8').on('data', (chunk: string) => { text += chunk })
  return () => text
}

export interface Service {
  url: string
  child: ChildProcess
  output(): string
  exited: Promise<number | null>
}

/** Starts the service as a process of its own and waits until it is ready. */
export async function startService (t: Test, env: Record<string, string>, [program, ...args]: [string, ...string[]] = [process.execPath, cli, 'serve']): Promise<Service> {
  const port = env.PORT ?? String(await freePort())
  const child = spawn(program, args, { cwd: packageRoot, env: cleanEnv({ ...env, PORT: port }), detached: true })
  const [stdout, stderr] = [collect(child, 'stdout'), collect(child, 'stderr')]
  const exited = once(child, 'close').then(([code]) => typeof code === 'number' ? code : null)
  let ended = false
  exited.finally(() => { ended = true }).catch(() => {})
  t.teardown(async () => {
    if (child.pid !== undefined && !ended) process.kill(-child.pid, 'SIGTERM')
    await exited
  })
  const url = `http://localhost:${port}`
  await until('the service is ready', async () => {
    if (ended) throw new Error(`the service ended: ${stdout()} ${stderr()}`)
    return await fetch(`${url}/readiness`).then(response => response.ok, () => false)
  }, 30)
  return { url, child, output: () => stdout() + stderr(), exited }
}

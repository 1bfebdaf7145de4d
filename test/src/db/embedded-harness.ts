import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { chmod, cp, mkdtemp, readFile, rm, truncate, unlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import postgres from 'postgres'
import tap, { type Test } from 'tap'
import { startEmbeddedPostgres, type EmbeddedPostgres, type EmbeddedPostgresParts } from '../../../src/db/embedded/embedded-postgres.ts'
import { findPlatformPackage, readPlatformPackage, type PlatformPackage } from '../../../src/db/embedded/platform-package.ts'

export const asRoot = process.getuid?.() === 0
/** Debian's number for the user without rights; every system that has the user gives it no files. */
export const nobody = 65534

export interface ChildOptions { dataDir: string, uid?: number, fsync?: boolean, parts?: EmbeddedPostgresParts, lock?: boolean }
export interface ChildMessage { connection?: EmbeddedPostgres['connection'], error?: { name: string, message: string }, warning?: string }
export interface Child { process: ChildProcess, said: ChildMessage, close (): Promise<void>, kill (): Promise<void> }

/** Collects what was logged. */
export class RecordedLog {
  readonly lines: string[] = []
  info (fields: object, message: string): void { this.lines.push(`${message} ${JSON.stringify(fields)}`) }
  warn (fields: object, message: string): void { this.info(fields, `WARN ${message}`) }
}

/** A directory that any user can enter, removed after the test. */
export async function openDirectory (t: Test): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'embedded-'))
  await chmod(directory, 0o711)
  t.teardown(async () => { await rm(directory, { recursive: true, force: true, maxRetries: 5 }) })
  return directory
}

/** Stops the server of a data directory after the test, however it is. */
function stopAfter (t: Test, dataDir: string): string {
  t.teardown(async () => {
    const pid = await serverPid(dataDir).catch(() => undefined)
    if (pid !== undefined && isRunning(pid)) process.kill(pid, 'SIGQUIT')
    await until(async () => pid === undefined || !isRunning(pid))
  })
  return dataDir
}

/** A data directory of its own, whose server is stopped after the test. */
export async function freshDataDir (t: Test, name = 'data'): Promise<string> {
  return stopAfter(t, join(await openDirectory(t), name))
}

let used: Promise<string> | undefined

/**
 * The data directory that the tests of a file share, with a database that nobody uses: making one takes a second. A
 * test leaves it as it found it, but for rows and for how the server ended. Its server.log is empty.
 */
export async function usedDataDir (t: Test): Promise<string> {
  used ??= makeDatabase(join(await openDirectory(tap), 'used'))
  const dataDir = stopAfter(t, await used)
  await truncate(join(dataDir, 'pg', 'server.log'))
  return dataDir
}

async function makeDatabase (dataDir: string): Promise<string> {
  const database = await startEmbeddedPostgres({ dataDir, log: new RecordedLog(), fsync: false })
  await database.close()
  return dataDir
}

/** Starts the database in this process, and leaves it after the test. */
export async function start (t: Test, dataDir: string, parts?: EmbeddedPostgresParts, log = new RecordedLog()): Promise<EmbeddedPostgres> {
  const database = await startEmbeddedPostgres({ dataDir, log, fsync: false }, parts)
  t.teardown(async () => { await database.close() })
  return database
}

/** Starts a process (in a process group of its own) that uses the database, and waits for what it says first. */
export async function startChild (t: Test, options: ChildOptions, env: NodeJS.ProcessEnv = {}): Promise<Child> {
  const child = spawnChild(t, options, env)
  for await (const line of createInterface({ input: child.stdout })) {
    const said: ChildMessage = JSON.parse(line)
    if (said.warning !== undefined) continue
    const exited = once(child, 'exit')
    return {
      process: child,
      said,
      close: async () => { child.stdin.write('close\n'); await exited },
      kill: async () => { child.kill('SIGKILL'); await exited }
    }
  }
  throw new Error('the child ended without a word')
}

/** Starts such a process and does not wait. */
export function spawnChild (t: Test, options: ChildOptions, env: NodeJS.ProcessEnv = {}) {
  const script = fileURLToPath(new URL('./embedded-child.js', import.meta.url))
  // What the test runner adds to the environment makes a child write its reports, which another user may not.
  const program: [string, ...string[]] = options.uid === undefined
    ? [process.execPath]
    : ['/usr/bin/env', '-i', ...Object.entries(env).map(([name, value]) => `${name}=${value}`), process.execPath]
  const [file, ...args] = [...program, script, JSON.stringify(options)]
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'], detached: true, env: { ...env } })
  t.teardown(() => { child.kill('SIGKILL') })
  return child
}

/** Runs one query on a connection of its own. */
export async function query (connection: EmbeddedPostgres['connection'] | undefined, text: string): Promise<postgres.Row> {
  const sql = postgres({ ...connection, max: 1, fetch_types: false, onnotice: () => {} })
  try {
    return (await sql.unsafe(text))[0] ?? {}
  } finally {
    await sql.end({ timeout: 0 })
  }
}

/** When the server was started: tells one server from the next. */
export async function startedAt (connection: EmbeddedPostgres['connection'] | undefined): Promise<string> {
  return String((await query(connection, 'select pg_postmaster_start_time()::text as at'))['at'])
}

/** The pid of the server, as its file says. */
export async function serverPid (dataDir: string): Promise<number> {
  return Number.parseInt(await readFile(join(dataDir, 'pg', 'cluster', 'postmaster.pid'), 'utf8'))
}

/** Whether the process lives; a zombie that nobody has reaped does not. */
export function isRunning (pid: number): boolean {
  try {
    process.kill(pid, 0)
    return process.platform !== 'linux' || !/\) [XZ] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

/** Waits up to 20 seconds for a condition. */
export async function until (condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 20_000
  while (!await condition()) {
    if (Date.now() > deadline) throw new Error('the condition did not come about')
    await delay(5)
  }
}

/** A copy of the installed binaries as npm leaves them when it runs no scripts: without the links. */
export async function packageWithoutLinks (directory: string): Promise<PlatformPackage> {
  const installed = await findPlatformPackage()
  const copy = join(directory, 'package')
  await cp(installed.directory, copy, { recursive: true, verbatimSymlinks: true, filter: source => !source.endsWith('.a') })
  for (const target of await linkTargets(copy)) await unlink(target).catch(() => {})
  return await readPlatformPackage(copy)
}

/** The links that belong into a package. */
export async function linkTargets (packageDirectory: string): Promise<string[]> {
  const links: Array<{ target: string }> = JSON.parse(await readFile(join(packageDirectory, 'native', 'pg-symlinks.json'), 'utf8'))
  return links.map(({ target }) => join(packageDirectory, 'native', 'lib', basename(target)))
}

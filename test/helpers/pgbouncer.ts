import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chown, writeFile } from 'node:fs/promises'
import { connect as openSocket } from 'node:net'
import { join } from 'node:path'
import type { Test } from 'tap'
import type { DatabaseLocation } from '../../src/db/client.ts'
import { asRoot, nobody } from '../src/db/embedded-harness.ts'
import { urlOf } from './database.ts'
import { createDatabaseProxy } from './proxy.ts'
import { freePort, temporaryFolder } from './service.ts'
import { until } from './until.ts'

/** A PgBouncer in front of a database, and the database itself, both over TCP. */
export interface Pooler { url: string, directUrl: string, output(): string }

/** Debian keeps it where only root looks. */
const env = { ...process.env, PATH: `${process.env.PATH ?? ''}:/usr/sbin` }

async function answers (port: number): Promise<boolean> {
  const socket = openSocket(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

async function run (t: Test, config: string): Promise<{ child: ChildProcess, output(): string }> {
  const child = spawn('pgbouncer', [config], { stdio: ['ignore', 'ignore', 'pipe'], env })
  let output = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => { output += text })
  try {
    await once(child, 'spawn')
  } catch (cause) {
    throw new Error('this test needs the program pgbouncer in PATH; install it, on Debian with: apt-get install pgbouncer', { cause })
  }
  const exited = once(child, 'exit')
  t.teardown(async () => { child.kill('SIGKILL'); await exited })
  return { child, output: () => output }
}

/** Starts one that pools by transaction, with what its Debian 12 release (1.18) needs to be told. */
export async function startPgbouncer (t: Test, database: DatabaseLocation): Promise<Pooler> {
  const folder = await temporaryFolder(t)
  const target = new URL(urlOf((await createDatabaseProxy(t, database)).location))
  const port = await freePort()
  const [config, users] = [join(folder, 'pgbouncer.ini'), join(folder, 'users.txt')]
  await writeFile(users, `"${decodeURIComponent(target.username)}" "${decodeURIComponent(target.password)}"\n`, { mode: 0o600 })
  await writeFile(config, [
    '[databases]', `* = host=${target.hostname} port=${target.port}`,
    '[pgbouncer]', 'listen_addr = 127.0.0.1', `listen_port = ${port}`, 'unix_socket_dir =', 'auth_type = scram-sha-256', `auth_file = ${users}`,
    'pool_mode = transaction', 'default_pool_size = 5', 'ignore_startup_parameters = statement_timeout',
    // It refuses to run as root.
    ...asRoot ? ['user = nobody'] : []
  ].join('\n'), { mode: 0o600 })
  if (asRoot) for (const path of [folder, config, users]) await chown(path, nobody, -1)

  const { child, output } = await run(t, config)
  await until('PgBouncer listens', async () => {
    if (child.exitCode !== null) throw new Error(`PgBouncer ended: ${output()}`)
    return await answers(port)
  })
  const url = new URL(target)
  url.port = String(port)
  return { url: url.href, directUrl: target.href, output }
}

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { Redis } from 'ioredis'
import type { Test } from 'tap'
import { freePort } from './service.ts'
import { until } from './until.ts'

/** A Redis server of one test, with outages that are real. */
export interface TestRedis {
  url: string
  keys(): Promise<string[]>
  /** Ends the server at once, as a crash would. */
  kill(): Promise<void>
  /** Starts it again, empty, at the same address. */
  start(): Promise<void>
  /** Lets it keep its connections and answer nothing. */
  freeze(): void
  thaw(): void
}

async function spawnServer (port: number): Promise<ChildProcess> {
  const child = spawn('redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'], { stdio: 'ignore' })
  try {
    await once(child, 'spawn')
  } catch (cause) {
    throw new Error('this test needs the program redis-server in PATH; install it, on Debian with: apt-get install redis-server', { cause })
  }
  return child
}

export async function startRedis (t: Test): Promise<TestRedis> {
  const port = await freePort()
  const url = `redis://127.0.0.1:${port}`
  let child: ChildProcess | undefined

  async function ask<T> (question: (client: Redis) => Promise<T>): Promise<T> {
    const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null, maxRetriesPerRequest: 0 })
    client.on('error', () => {})
    try {
      await client.connect()
      return await question(client)
    } finally {
      client.disconnect()
    }
  }
  async function start (): Promise<void> {
    child = await spawnServer(port)
    await until('Redis answers', async () => await ask(async client => await client.ping()).then(() => true, () => false))
  }
  async function kill (): Promise<void> {
    if (child === undefined) return
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    child = undefined
    await exited
  }
  t.teardown(kill)
  await start()
  return {
    url,
    start,
    kill,
    keys: async () => (await ask(async client => await client.keys('*'))).toSorted(),
    freeze: () => { child?.kill('SIGSTOP') },
    thaw: () => { child?.kill('SIGCONT') }
  }
}

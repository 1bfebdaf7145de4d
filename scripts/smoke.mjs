// Starts the built service with the Node that runs this, on an embedded database of its own, and lives one short life:
// register, login, the own profile, SIGTERM. Usage: node scripts/smoke.mjs
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

const patienceMs = 60_000
const password = 'the engine weaves algebra'

async function freePort () {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  return port
}

async function untilReady (url, child) {
  const end = Date.now() + patienceMs
  for (;;) {
    assert.equal(child.exitCode ?? child.signalCode, null, 'the service lives')
    if (await fetch(`${url}/readiness`).then(response => response.ok, () => false)) return
    assert.ok(Date.now() < end, 'the service is ready in time')
    await delay(50)
  }
}

async function call (url, status, options = {}) {
  const response = await fetch(url, { ...options, headers: { 'content-type': 'application/json', ...options.headers } })
  const body = await response.text()
  assert.equal(response.status, status, `${url}: ${body}`)
  return JSON.parse(body)
}

const folder = await mkdtemp(join(tmpdir(), 'auth-serve-smoke-'))
const port = await freePort()
const { PATH, HOME } = process.env
const child = spawn(process.execPath, [join(import.meta.dirname, '../dist/src/cli.js'), 'serve'], {
  cwd: folder,
  env: { PATH, HOME, HOST: '127.0.0.1', PORT: String(port), DATA_DIR: join(folder, 'data') },
  stdio: ['ignore', 'inherit', 'inherit']
})
const exited = once(child, 'exit')
try {
  const url = `http://127.0.0.1:${port}`
  await untilReady(url, child)
  const person = { email: 'ada@example.com', password }
  const post = body => ({ method: 'POST', body: JSON.stringify(body) })
  const { id } = await call(`${url}/api/v1/auth/register`, 201, post(person))
  const { accessToken } = await call(`${url}/api/v1/auth/login`, 200, post(person))
  const me = await call(`${url}/api/v1/users/me`, 200, { headers: { authorization: `Bearer ${accessToken}` } })
  assert.equal(me.id, id)
  child.kill('SIGTERM')
  assert.deepEqual(await exited, [0, null], 'it ends in order')
  process.stdout.write(`the service works on Node.js ${process.version}\n`)
} finally {
  // In order, so that it stops its database as well.
  if (child.exitCode === null && child.kill('SIGTERM')) await exited
  await rm(folder, { recursive: true, force: true, maxRetries: 5 })
}

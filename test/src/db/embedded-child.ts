// A process of its own for the tests of the embedded PostgreSQL: `node embedded-child.js <ChildOptions as JSON>`.
// Says { connection } or { error } in one line of JSON, closes on the line "close", and lives until then.
import { once } from 'node:events'
import { startEmbeddedPostgres } from '../../../src/db/embedded/embedded-postgres.ts'
import { withLock } from '../../../src/db/embedded/start-lock.ts'
import type { ChildOptions } from './embedded-harness.ts'

const { dataDir, uid, fsync = false, parts, lock }: ChildOptions = JSON.parse(process.argv[2] ?? '{}')

// Everything is loaded by now, so this user need not be able to read the checkout.
process.chdir('/')
if (uid !== undefined) {
  process.setgroups?.([])
  process.setgid?.(uid)
  process.setuid?.(uid)
}

function say (message: object): void {
  process.stdout.write(`${JSON.stringify(message)}\n`)
}

const closeRequested = once(process.stdin, 'data')
const log = { info: () => {}, warn: (_fields: object, text: string) => { say({ warning: text }) } }
try {
  if (lock === true) {
    await withLock(dataDir, async () => {
      say({ connection: {} })
      await closeRequested
    })
  } else {
    const database = await startEmbeddedPostgres({ dataDir, log, fsync }, parts)
    say({ connection: database.connection })
    await closeRequested
    await database.close()
  }
} catch (err) {
  say({ error: err instanceof Error ? { name: err.name, message: err.message } : { name: '', message: String(err) } })
}
process.stdin.destroy()

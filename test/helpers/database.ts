import { randomBytes } from 'node:crypto'
import postgres from 'postgres'
import type { Test } from 'tap'
import type { DatabaseLocation } from '../../src/db/client.ts'
import { until } from './until.ts'

/** What scripts/test.ts tells the test files: the server, and the name of a migrated database to clone. */
export interface TestServer {
  location: DatabaseLocation
  template: string
  /** How PostgreSQL is to clone, where it can choose (from 15 on): without fsync copying files takes a tenth of the time. */
  strategy: string
}

export function testServer (): TestServer {
  const server = process.env.AUTH_SERVE_TEST_SERVER
  if (server === undefined) throw new Error('run the tests with "npm test": it starts the PostgreSQL that they need')
  return JSON.parse(server)
}

/** The same server, another database. */
export function inDatabase (location: DatabaseLocation, database: string): DatabaseLocation {
  if (!('url' in location)) return { ...location, database }
  const url = new URL(location.url)
  url.pathname = `/${database}`
  return { url: url.href }
}

/** A location as an operator writes it; one on a unix socket has none before it is behind a proxy. */
export function urlOf (location: DatabaseLocation): string {
  if ('url' in location) return location.url
  const { host, port, database, username, password } = location
  return `postgres://${username}:${encodeURIComponent(password)}@${host}:${port}/${database}`
}

export function connect (location: DatabaseLocation): postgres.Sql {
  const settings = { max: 2, onnotice: () => {} }
  return 'url' in location ? postgres(location.url, settings) : postgres({ ...location, ...settings })
}

/** Answers false while autovacuum is at it: its process is one that no role of ours may end. */
async function dropDatabase (admin: postgres.Sql, name: string): Promise<boolean> {
  try {
    await admin.unsafe(`drop database if exists ${name} with (force)`)
    return true
  } catch (error) {
    if (error instanceof postgres.PostgresError && error.code === '42501') return false
    throw error
  }
}

/** A database of its own for one test, dropped afterwards: a clone of the migrated template, or an empty one. */
export async function createTestDatabase (t: Test, { empty = false } = {}): Promise<DatabaseLocation> {
  const { location, template, strategy } = testServer()
  const name = `test_${randomBytes(8).toString('hex')}`
  const admin = connect(location)
  await admin.unsafe(`create database ${name} ${empty ? '' : `template ${template} ${strategy}`}`)
  t.teardown(async () => {
    try {
      await until('the database is dropped', async () => await dropDatabase(admin, name), 30)
    } finally {
      await admin.end()
    }
  })
  return inDatabase(location, name)
}

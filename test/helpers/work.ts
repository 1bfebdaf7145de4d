import type { InjectOptions, LightMyRequestResponse } from 'fastify'
import type { Test } from 'tap'
import { createTestApp, type TestApp, type TestAppOptions } from './app.ts'
import { connect, createTestDatabase } from './database.ts'
import { createDatabaseProxy } from './proxy.ts'
import { createStatementLog } from './statements.ts'

/** What one request cost: what a clock, or whoever watches the database, could tell apart. */
export interface Work {
  /** Password hashes that were made or checked. */
  hashes: number
  /** The text of every statement, in their order. */
  statements: string[]
  outboxRows: number
  auditRows: number
}

export interface MeasuredApp extends TestApp {
  /** Sends a request and says what it cost. One at a time; no worker may run, since its statements would count. */
  measure (options: InjectOptions): Promise<{ response: LightMyRequestResponse, work: Work }>
  /** The same for a POST of JSON below the API. */
  measurePost (url: string, payload: object): Promise<{ response: LightMyRequestResponse, work: Work }>
}

/** Nothing in the background asks the database while a test measures. */
const quiet = { revocation: { heartbeatMs: 60_000, rereadMs: 3_600_000 }, maintenance: { intervalMs: 86_400_000 }, webhooks: { pollMs: 60_000 } }

/** The service, seen through a proxy that reads every statement on its way to the database. */
export async function createMeasuredApp (t: Test, options: TestAppOptions = {}): Promise<MeasuredApp> {
  const direct = await createTestDatabase(t)
  const log = createStatementLog()
  const proxy = await createDatabaseProxy(t, direct, log.watchConnection)
  const api = await createTestApp(t, { ...quiet, ...options, database: { ...options.database, poolMax: 1 } }, proxy.location)
  const sql = connect(direct)
  t.teardown(async () => { await sql.end() })

  async function rows (): Promise<{ outbox: number, audit: number }> {
    const [counts] = await sql<Array<{ outbox: number, audit: number }>>`
      select (select count(*)::int from outbox) as outbox, (select count(*)::int from audit_events) as audit`
    return counts ?? { outbox: NaN, audit: NaN }
  }

  async function measure (options: InjectOptions): Promise<{ response: LightMyRequestResponse, work: Work }> {
    const before = await rows()
    const hashes = api.scope.authServePasswords.stats().total
    log.take()
    const response = await api.request(options)
    const statements = log.take()
    const after = await rows()
    return {
      response,
      work: {
        hashes: api.scope.authServePasswords.stats().total - hashes,
        statements,
        outboxRows: after.outbox - before.outbox,
        auditRows: after.audit - before.audit
      }
    }
  }

  return {
    ...api,
    database: direct,
    measure,
    measurePost: async (url, payload) => await measure({ method: 'POST', url: `/api/v1${url}`, payload })
  }
}

import type { Test } from 'tap'
import type postgres from 'postgres'
import type { DatabaseLocation } from '../../src/db/client.ts'
import { createTestApp, type TestApp, type TestAppOptions } from './app.ts'
import { connect } from './database.ts'
import { bearer } from './people.ts'
import { until } from './until.ts'

/** So that nothing reaches another instance but by what it is told. */
export const toldOnly = { heartbeatMs: 100, rereadMs: 3_600_000 }

/** How an instance takes an access token, asked by a route that needs no database: `live`, or the code of its refusal. */
export async function standingOf (api: TestApp, accessToken: string): Promise<string> {
  const response = await api.request({ method: 'GET', url: '/api/v1/admin/breakers', headers: bearer(accessToken) })
  const code = response.statusCode === 200 ? 'FORBIDDEN' : String(response.json().code)
  return code === 'FORBIDDEN' ? 'live' : code
}

/** Waits until an instance takes a token like this; answers after how many milliseconds. */
export async function untilStanding (api: TestApp, accessToken: string, standing: string): Promise<number> {
  const began = performance.now()
  await until(standing, async () => await standingOf(api, accessToken) === standing)
  return performance.now() - began
}

/** Two instances on one database, and somebody who changes it by hand. */
export async function createInstances (t: Test, database: DatabaseLocation, options: TestAppOptions = { revocation: toldOnly }): Promise<{ a: TestApp, b: TestApp, sql: postgres.Sql }> {
  const sql = connect(database)
  t.teardown(async () => { await sql.end() })
  return { a: await createTestApp(t, options, database), b: await createTestApp(t, options, database), sql }
}

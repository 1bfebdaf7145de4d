import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import type { DatabaseLocation } from '../src/db/client.ts'
import { startEmbeddedPostgres } from '../src/db/embedded/index.ts'
import { migrateUp } from '../src/db/migrations.ts'
import { createSinglePool } from '../src/db/pool.ts'
import { inDatabase, type TestServer } from '../test/helpers/database.ts'

/**
 * Runs the test suite: compiles it, starts one PostgreSQL for all of it (the embedded one, or that of
 * TEST_DATABASE_URL, whose role must be allowed to create databases), migrates a template database that the tests
 * clone, and runs tap. `--coverage` holds lines and branches to the floor; other arguments go to tap.
 */
const coverageFloor = { lines: 90, branches: 90 }
const root = join(import.meta.dirname, '..')

async function run (program: string, args: string[], env: NodeJS.ProcessEnv = process.env): Promise<number> {
  const child = spawn(process.execPath, [join(root, 'node_modules', program), ...args], { cwd: root, env, stdio: 'inherit' })
  return await new Promise(resolve => child.once('exit', code => resolve(code ?? 1)))
}

async function withTemplate<T> (location: DatabaseLocation, work: (server: TestServer) => Promise<T>): Promise<T> {
  const template = `auth_serve_template_${process.pid}`
  const admin = createSinglePool(location)
  try {
    await admin.run(async orm => await orm.execute(sql.raw(`create database ${template}`)))
    const pool = createSinglePool(inDatabase(location, template))
    await migrateUp(pool)
    await pool.close()
    return await work({ location, template })
  } finally {
    await admin.run(async orm => await orm.execute(sql.raw(`drop database if exists ${template} with (force)`)))
    await admin.close()
  }
}

async function withServer<T> (work: (location: DatabaseLocation) => Promise<T>): Promise<T> {
  const url = process.env.TEST_DATABASE_URL
  if (url !== undefined && url !== '') return await work({ url })
  const dataDir = await mkdtemp(join(tmpdir(), 'auth-serve-test-'))
  const log = { info: () => {}, warn: (details: object, message: string) => process.stderr.write(`${message} ${JSON.stringify(details)}\n`) }
  const embedded = await startEmbeddedPostgres({ dataDir, log, fsync: false })
  try {
    return await work(embedded.connection)
  } finally {
    await embedded.close()
    await rm(dataDir, { recursive: true, force: true })
  }
}

async function isCovered (): Promise<boolean> {
  const { total } = JSON.parse(await readFile(join(root, '.tap/report/coverage-summary.json'), 'utf8'))
  process.stdout.write(`coverage: ${total.lines.pct} % of lines, ${total.branches.pct} % of branches\n`)
  return total.lines.pct >= coverageFloor.lines && total.branches.pct >= coverageFloor.branches
}

const args = process.argv.slice(2)
const coverage = args.includes('--coverage')
const tapArgs = [...coverage ? ['--coverage-report=json-summary', '--coverage-report=text'] : ['--disable-coverage'], ...args.filter(arg => arg !== '--coverage')]

process.exitCode = await run('typescript/bin/tsc', ['-p', 'tsconfig.test.json'])
if (process.exitCode === 0) {
  process.exitCode = await withServer(async location => await withTemplate(location, async server =>
    await run('tap/dist/esm/run.mjs', ['run', ...tapArgs], { ...process.env, AUTH_SERVE_TEST_SERVER: JSON.stringify(server) })))
}
if (process.exitCode === 0 && coverage && !await isCovered()) {
  process.stderr.write(`coverage is below the floor of ${coverageFloor.lines} % lines and ${coverageFloor.branches} % branches\n`)
  process.exitCode = 1
}

import { spawn } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { sql } from 'drizzle-orm'
import type { DatabaseLocation } from '../src/db/client.ts'
import { startEmbeddedPostgres } from '../src/db/embedded/index.ts'
import { migrateUp } from '../src/db/migrations.ts'
import { createSinglePool } from '../src/db/pool.ts'
import { inDatabase, type TestServer } from '../test/helpers/database.ts'
import { runTestFiles, type TestFileResult } from './run-test-files.ts'

/**
 * Runs the test suite: compiles it, starts one PostgreSQL for all of it (the embedded one, or that of
 * TEST_DATABASE_URL, whose role must be allowed to create databases), migrates a template database that the tests
 * clone, and runs the files that are named, or all. `--coverage` holds lines and branches to the floor, `--jobs=n` runs
 * as many files at a time, `--shard=k/n` every nth of them, from the kth on. `--retry` runs a few files that failed once more, alone: what passes then is told as unsteady and
 * does not fail the run, so that a machine which was busy for a moment holds up nobody, and nothing is hidden.
 *
 * Each file is a plain Node.js process. The runner of tap would load its hooks, which follow every module, into each
 * of them and into every service that a test starts, and so would take a third of the time of the whole.
 */
const coverageFloor = { lines: 90, branches: 90 }
const root = join(import.meta.dirname, '..')
const coverageFolder = join(root, 'build/coverage')
const timeout = 240

/** More failures than these are no accident. */
const maxRetries = 3

/** What takes longest starts first, so that it does not run alone at the end. */
const first = ['test/cli.test.ts', 'test/two-processes.test.ts', 'test/src/db/embedded']

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
    const [server] = await admin.run(async orm => await orm.execute<{ version: number }>(sql`select current_setting('server_version_num')::int as version`))
    return await work({ location, template, strategy: Number(server?.version) >= 150_000 ? 'strategy file_copy' : '' })
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

/** The compiled test files that the arguments name, by their source, their output or a folder; all, if there are none. */
async function findTestFiles (args: string[]): Promise<string[]> {
  const paths = await readdir(join(root, 'test'), { recursive: true })
  const all = paths.filter(path => path.endsWith('.test.ts')).map(path => join('test', path)).sort()
  const names = args.map(arg => arg.replace(/^(\.\/)?(build\/)?/, '').replace(/\.js$/, '.ts'))
  const unknown = names.find(name => !all.some(file => file.startsWith(name)))
  if (unknown !== undefined) throw new Error(`there is no test file ${unknown}`)
  const chosen = names.length === 0 ? all : all.filter(file => names.some(name => file.startsWith(name)))
  const rank = (file: string): number => first.findIndex(name => file.startsWith(name)) >>> 0
  return chosen.sort((a, b) => rank(a) - rank(b)).map(file => join('build', file.replace(/\.ts$/, '.js')))
}

function tell ({ file, passed, assertions, seconds, output }: TestFileResult): void {
  if (!passed) process.stdout.write(`\n# ${file}\n${output}\n`)
  process.stdout.write(`${passed ? 'ok' : 'not ok'} - ${file} (${assertions} assertions, ${seconds.toFixed(1)} s)\n`)
}

/** Those of the failed files that fail again. */
async function withoutUnsteady (failed: TestFileResult[], runAgain: (files: string[]) => Promise<TestFileResult[]>): Promise<TestFileResult[]> {
  if (!retry || failed.length > maxRetries) return failed
  const again = await runAgain(failed.map(({ file }) => file))
  for (const { file } of again.filter(({ passed }) => passed)) process.stdout.write(`unsteady - ${file} failed and passed alone\n`)
  return again.filter(({ passed }) => !passed)
}

async function runSuite (files: string[], jobs: number, server: TestServer): Promise<boolean> {
  const began = performance.now()
  const options = {
    nodeArgs: ['--enable-source-maps', '--import=./build/test/helpers/property-seed.js'],
    env: {
      ...process.env,
      AUTH_SERVE_TEST_SERVER: JSON.stringify(server),
      // Functions that come out of the cache (of Node.js >= 22.1) are not counted.
      ...coverage ? { NODE_V8_COVERAGE: join(coverageFolder, 'v8') } : { NODE_COMPILE_CACHE: join(root, 'build/.cache') }
    },
    timeout,
    onResult: tell
  }
  const results = await runTestFiles({ ...options, files, jobs })
  const failed = await withoutUnsteady(results.filter(({ passed }) => !passed), async again => await runTestFiles({ ...options, files: again, jobs: 1 }))
  const assertions = results.reduce((sum, result) => sum + result.assertions, 0)
  process.stdout.write(`\n${results.length} files, ${assertions} assertions, ${((performance.now() - began) / 1000).toFixed(0)} s\n`)
  for (const { file } of failed) process.stdout.write(`not ok - ${file}\n`)
  return failed.length === 0 && results.length === files.length
}

async function isCovered (): Promise<boolean> {
  const code = await run('c8/bin/c8.js', ['report', `--temp-directory=${join(coverageFolder, 'v8')}`, `--reports-dir=${coverageFolder}`,
    '--include=build/{src,plugins,routes}/**', '--reporter=json-summary', '--reporter=text', '--skip-full'])
  if (code !== 0) return false
  const { total } = JSON.parse(await readFile(join(coverageFolder, 'coverage-summary.json'), 'utf8'))
  process.stdout.write(`coverage: ${total.lines.pct} % of lines, ${total.branches.pct} % of branches\n`)
  const covered = total.lines.pct >= coverageFloor.lines && total.branches.pct >= coverageFloor.branches
  if (!covered) process.stderr.write(`coverage is below the floor of ${coverageFloor.lines} % lines and ${coverageFloor.branches} % branches\n`)
  return covered
}

/** What `--shard` leaves of the files. */
function shardOf (files: string[], shard: string): string[] {
  const [, index = '', count = ''] = /^([1-9]\d*)\/([1-9]\d*)$/.exec(shard) ?? []
  if (count === '' || Number(index) > Number(count)) throw new Error(`--shard is k/n, such as 1/2, not ${shard}`)
  return files.filter((_file, position) => position % Number(count) === Number(index) - 1)
}

const { values: { coverage, jobs, retry, shard }, positionals } = parseArgs({
  allowPositionals: true,
  options: { coverage: { type: 'boolean', default: false }, retry: { type: 'boolean', default: false }, shard: { type: 'string', default: '1/1' }, jobs: { type: 'string', default: String(availableParallelism() + 1) } }
})
const files = shardOf(await findTestFiles(positionals), shard)

await rm(coverageFolder, { recursive: true, force: true })
// Types are checked by "npm run typecheck", in a third of the time that both would take here.
const compiled = run('typescript/bin/tsc', ['-p', 'tsconfig.test.json', '--noCheck'])
const passed = await withServer(async location => await withTemplate(location, async server =>
  await compiled === 0 && await runSuite(files, Number(jobs), server)))
process.exitCode = passed && (!coverage || await isCovered()) ? 0 : 1

import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { createLogger, flushLogs } from '../../../src/logging/create-logger.ts'
import { openLogFile } from '../../../src/logging/log-file.ts'

const quiet = { write () {} }

/** The numbers of the lines of all files, in order. */
function numbersIn (folder: string): number[] {
  return readdirSync(folder)
    .flatMap(name => readFileSync(join(folder, name), 'utf8').split('\n').slice(0, -1))
    .map(line => Number(JSON.parse(line).i))
    .sort((a, b) => a - b)
}

t.test('no line is lost when files are rolled, and each file stays below the limit and a chunk', async t => {
  const folder = t.testdir()
  const file = await openLogFile({ path: join(folder, 'service.log'), maxFileBytes: 20_000, maxFiles: 1000 })
  const logger = createLogger({ level: 'info', pretty: false, destination: quiet, file })
  for (let i = 0; i < 2000; i++) logger.info({ i, pad: 'x'.repeat(100) })
  await flushLogs(logger)
  const files = readdirSync(folder)
  t.ok(files.length > 10)
  t.ok(files.every(name => /^service\.\d+\.log$/.test(name)))
  for (const name of files) {
    const { size, mode } = statSync(join(folder, name))
    t.ok(size < 20_000 + 4096 + 300)
    t.equal(mode & 0o777 & ~0o640, 0)
  }
  t.same(numbersIn(folder), Array.from({ length: 2000 }, (_, i) => i))
})

t.test('only so many files are kept, the newest, also over a restart, and secrets are replaced in them', async t => {
  const folder = t.testdir()
  for (let i = 1; i <= 9; i++) writeFileSync(join(folder, `service.${i}.log`), '')
  writeFileSync(join(folder, 'other.log'), 'kept')
  const file = await openLogFile({ path: join(folder, 'service.log'), maxFileBytes: 4096, maxFiles: 3 })
  const logger = createLogger({ level: 'info', pretty: true, destination: quiet, file })
  for (let i = 0; i < 400; i++) {
    logger.info({ i, pad: 'x'.repeat(100) }, 'Bearer canary')
    if (i % 20 === 0) await flushLogs(logger)
  }
  await flushLogs(logger)
  const names = (): string[] => readdirSync(folder).filter(name => name.startsWith('service.'))
  while (names().length > 3) await new Promise(resolve => { setImmediate(resolve) })
  t.equal(readFileSync(join(folder, 'other.log'), 'utf8'), 'kept')
  const contents = names().map(name => readFileSync(join(folder, name), 'utf8')).join('')
  t.notMatch(contents, 'canary')
  t.match(contents, '"i":399,')
  t.ok(contents.split('\n').filter(line => line !== '').every(line => JSON.parse(line).msg === '[redacted]'), 'JSON even where the terminal gets pretty lines')
})

t.test('a file that cannot be opened is a clear error at the start', async t => {
  const folder = t.testdir({ file: '', taken: { 'service.1.log': {} } })
  for (const [path, message] of [
    [join(folder, 'missing', 'service.log'), /service\.log cannot be written: its folder does not exist: create it \(ENOENT\)/],
    [join(folder, 'file', 'service.log'), /its folder is a file \(ENOTDIR\)/],
    [join(folder, 'taken', 'service.log'), /there is a folder of that name \(EISDIR\)/],
    [join(folder, 'a:b'), /invalid characters/]
  ] as const) await t.rejects(openLogFile({ path }), { name: 'LogFileError', message })
  const path = join(folder, 'service.log')
  for (const wrong of [{ maxFileBytes: 100 }, { maxFileBytes: 5000.5 }, { maxFiles: 1 }, { maxFiles: NaN }]) await t.rejects(openLogFile({ path, ...wrong }), { name: 'LogFileError' })
})

t.test('a folder that is moved away neither stops the service nor loses a line', async t => {
  const folder = t.testdir({ logs: {} })
  const [logs, moved] = [join(folder, 'logs'), join(folder, 'moved')]
  const logger = createLogger({ level: 'info', pretty: false, destination: quiet, file: await openLogFile({ path: join(logs, 'service.log'), maxFileBytes: 4096 }) })
  for (let i = 0; i < 300; i++) {
    if (i === 100) {
      await flushLogs(logger)
      renameSync(logs, moved)
    }
    if (i === 200) {
      await flushLogs(logger)
      mkdirSync(logs)
    }
    logger.info({ i, pad: 'x'.repeat(100) })
  }
  await flushLogs(logger)
  t.same([...numbersIn(moved), ...numbersIn(logs)].sort((a, b) => a - b).filter(i => !Number.isNaN(i)), Array.from({ length: 300 }, (_, i) => i))
})

const moduleUrl = (name: string): string => JSON.stringify(new URL(`../../../src/logging/${name}${extname(import.meta.url)}`, import.meta.url).href)

/** Runs a script with a `logger` on `folder/service.log` and a `burst(lines)`; gives its exit code and stdout. */
async function run (folder: string, script: string): Promise<[unknown, string]> {
  const prelude = `
    import { createLogger, flushLogs } from ${moduleUrl('create-logger')}
    import { openLogFile } from ${moduleUrl('log-file')}
    const file = await openLogFile({ path: ${JSON.stringify(join(folder, 'service.log'))}, maxFileBytes: 20_000, maxFiles: 1000 })
    const logger = createLogger({ level: 'info', pretty: false, file })
    let count = 0
    const burst = lines => { for (let i = 0; i < lines; i++) logger.info({ i: count++, pad: 'x'.repeat(100) }, 'line') }
  `
  const child = spawn(process.execPath, ['--input-type=module', '-e', prelude + script], { stdio: ['ignore', 'pipe', 'inherit'] })
  return await Promise.all([new Promise(resolve => { child.once('close', resolve) }), text(child.stdout)])
}

for (const [name, script] of Object.entries({
  'process.exit in the same tick': 'burst(1000); process.exit(0)',
  'process.exit while files are rolled': 'burst(500); setTimeout(() => { burst(500); process.exit(0) }, 5)',
  'the end of the program': 'burst(1000)',
  'a flush that is awaited': 'burst(1000); await flushLogs(logger); process.reallyExit(0)'
})) {
  t.test(`no line of the file is lost or doubled at ${name}`, async t => {
    const folder = t.testdir()
    const [code, stdout] = await run(folder, script)
    t.equal(code, 0)
    t.same(numbersIn(folder), Array.from({ length: 1000 }, (_, i) => i))
    t.equal(stdout.split('\n').length, 1001, 'stdout has them, too')
  })
}

t.test('a full disk is told once on stdout, and neither stops the service nor keeps it from ending', async t => {
  if (!existsSync('/dev/full')) return
  const folder = t.testdir()
  symlinkSync('/dev/full', join(folder, 'service.1.log'))
  const [code, stdout] = await run(folder, 'burst(100); setTimeout(() => { burst(100); flushLogs(logger).then(() => process.exit(7)) }, 50)')
  t.equal(code, 7)
  const lines: Array<Record<string, unknown>> = stdout.trim().split('\n').map(line => JSON.parse(line))
  t.match(lines.filter(line => line.level === 'error'), [{ msg: 'the log file cannot be written; its lines wait', err: { code: 'ENOSPC' } }])
  t.equal(lines.length, 201)
})

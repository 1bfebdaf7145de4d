import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, openSync, readFileSync, closeSync } from 'node:fs'
import { extname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { createLogger, flushLogs } from '../../../src/logging/create-logger.ts'

const moduleUrl = new URL(`../../../src/logging/create-logger${extname(import.meta.url)}`, import.meta.url).href

/** Runs a script with `createLogger`, `flushLogs` and a `burst(logger, lines)` in a process of its own. */
function run (script: string, stdout: 'pipe' | number): ChildProcess {
  const prelude = `
    import { writeSync } from 'node:fs'
    import { createLogger, flushLogs } from ${JSON.stringify(moduleUrl)}
    let count = 0
    const burst = (logger, lines) => { for (let i = 0; i < lines; i++) logger.info({ i: count++, pad: 'x'.repeat(200) }, 'line') }
    const say = word => writeSync(2, word)
  `
  return spawn(process.execPath, ['--input-type=module', '-e', prelude + script], { stdio: ['pipe', stdout, 'pipe'] })
}

const exitOf = async (child: ChildProcess) => await new Promise(resolve => { child.once('close', resolve) })
const said = async (child: ChildProcess) => await new Promise(resolve => { child.stderr?.once('data', resolve) })
const linesOf = (output: string): Array<Record<string, unknown>> => output.split('\n').slice(0, -1).map(line => JSON.parse(line))

/** At an exit the chunk that is being written may be overtaken, so it is not the order that counts. */
const numbersOf = (output: string): number[] => linesOf(output).map(line => Number(line.i)).sort((a, b) => a - b)

const logger = 'const logger = createLogger({ level: \'info\', pretty: false });'
const scripts = {
  'process.exit in the same tick': `${logger} burst(logger, 3000); say('go'); process.exit(0)`,
  'process.exit between writes': `${logger} burst(logger, 1500); setTimeout(() => { burst(logger, 1500); say('go'); process.exit(0) }, 20)`,
  'the end of the program': `${logger} burst(logger, 3000); say('go')`,
  'an uncaught error': `${logger} burst(logger, 3000); say('go'); process.once('uncaughtException', () => process.exit(0)); throw new Error()`,
  'a flush that is awaited': `${logger} burst(logger, 3000); say('go'); await flushLogs(logger); process.reallyExit(0)`,
  'lines of an exit handler': `${logger} burst(logger, 1500); process.on('exit', () => burst(logger, 1500)); say('go')`
}

for (const [name, script] of Object.entries(scripts)) {
  t.test(`no line is lost or torn at ${name}`, async t => {
    const expected = Array.from({ length: 3000 }, (_, i) => i)
    const file = join(t.testdir(), 'log')
    const fd = openSync(file, 'w')
    t.equal(await exitOf(run(script, fd)), 0)
    closeSync(fd)
    t.same(numbersOf(readFileSync(file, 'utf8')), expected, 'to a file')
    for (const touched of ['', 'process.stdout.isTTY;']) {
      const child = run(touched + script, 'pipe')
      await said(child)
      const [output, code] = await Promise.all([child.stdout === null ? '' : text(child.stdout), exitOf(child)])
      t.equal(code, 0)
      t.same(numbersOf(output), expected, touched === '' ? 'to a pipe that is read late' : 'to a non-blocking pipe that is read late')
    }
  })
}

t.test('a closed pipe or a full disk neither stops nor hangs the process', async t => {
  const script = `${logger} process.stdin.once('data', () => { burst(logger, 100); setTimeout(() => { burst(logger, 100); flushLogs(logger).then(() => process.exit(7)) }, 20) }); say('ready')`
  const child = run(script, 'pipe')
  await said(child)
  child.stdout?.destroy()
  child.stdin?.write('go')
  t.equal(await exitOf(child), 7)
  if (!existsSync('/dev/full')) return
  const full = openSync('/dev/full', 'w')
  t.teardown(() => closeSync(full))
  for (const ending of ['process.exit(7)', 'process.exitCode = 7']) t.equal(await exitOf(run(`${logger} burst(logger, 100); setTimeout(() => { ${ending} }, 20)`, full)), 7)
  t.equal(await exitOf(run(`${logger} burst(logger, 100); process.exit(7)`, full)), 7)
})

t.test('lines beyond the buffer are dropped and counted', async t => {
  const child = run('const logger = createLogger({ level: \'info\', pretty: false, maxBufferBytes: 100_000 }); burst(logger, 2000)', 'pipe')
  const output = child.stdout === null ? '' : await text(child.stdout)
  const lines = linesOf(output)
  const last = lines.at(-1)
  t.match(last, { level: 'warn', droppedLines: Number })
  t.equal(lines.length - 1 + Number(last?.droppedLines), 2000)
})

function capture (level = 'info', pretty = false) {
  let output = ''
  return { logger: createLogger({ level, pretty, destination: { write (line) { output += line } } }), output: () => output }
}

t.test('a line has a time, a level by name, service and pid', async t => {
  const { logger, output } = capture()
  logger.info({ a: 1 }, 'hello')
  logger.debug('not written')
  const [line] = linesOf(output())
  t.same(Object.keys(line ?? {}), ['level', 'time', 'service', 'pid', 'a', 'msg'])
  t.match(line, { level: 'info', time: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/, service: 'auth-serve', pid: process.pid, a: 1, msg: 'hello' })
  await flushLogs(logger)
})

t.test('a secret is replaced in every place of a line, and CRLF stays inside its string', async t => {
  const { logger, output } = capture()
  logger.child({ bound: 'Bearer canary' }).info({ url: 'http://u:canary@h/', deep: { list: ['$argon2id$canary'] }, crlf: 'a\r\n{"level":"fatal"}' }, 'Bearer canary')
  t.notMatch(output(), 'canary')
  t.equal(linesOf(output()).length, 1)
  t.match(linesOf(output())[0], { bound: '[redacted]', url: 'http://[redacted]@h/', deep: { list: ['[redacted]'] }, crlf: 'a\r\n{"level":"fatal"}', msg: '[redacted]' })
})

t.test('an error without a message of its own is told by its safe message', async t => {
  const { logger, output } = capture()
  const secret = Object.assign(new Error('value "canary"'), { code: '22P02' })
  logger.error(secret)
  logger.error({ err: secret, a: 1 })
  logger.error(new TypeError('plain'))
  logger.error(secret, 'told')
  logger.error('text %s', 'formatted')
  t.match(linesOf(output()), [{ msg: 'Error', err: { sqlState: '22P02' } }, { msg: 'Error', a: 1 }, { msg: 'plain', err: { type: 'TypeError' } }, { msg: 'told', err: { sqlState: '22P02' } }, { msg: 'text formatted' }])
  t.notMatch(output(), 'canary')
})

t.test('pretty lines are for people and scrubbed as well', async t => {
  const { logger, output } = capture('info', true)
  logger.warn({ a: 'Bearer canary' }, 'hello')
  t.match(output(), /WARN.*hello/)
  t.notMatch(output(), /canary|^\{/)
})

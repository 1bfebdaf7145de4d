import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream, openSync, closeSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as delay } from 'node:timers/promises'
import type { Bench } from './bench.ts'
import { rowOf, type Section } from './report.ts'

const few = 10_000
const many = 100_000
/** Each round takes some 20 seconds and a database of its own. */
const mostRounds = 3
const pollMs = 20
// Of mkpasswd; what it hashes makes no difference.
const hash = '$2a$05$1GXxLK18IqPZyQZERwpFi.6JxSfFSo.ecX0nK3hotlJj3KClJCDc2'

interface Run { seconds: number, peakMib: number }

function * people (count: number): Generator<string> {
  for (let i = 0; i < count; i++) {
    yield `${JSON.stringify({ id: String(i), email: `person-${i}@example.com`, username: `person-${i}`, firstName: 'Ada', lastName: `Lovelace ${i}`, emailVerified: true, createdAt: '2024-01-01T00:00:00Z', passwordHash: hash })}\n`
  }
}

/** Runs a command of the service to its end; the most memory that it had is what Linux says shortly before. */
async function measure (file: string, args: string[], env: Record<string, string>, output: string): Promise<Run> {
  const { PATH, HOME } = process.env
  const log = openSync(output, 'a')
  const begin = performance.now()
  const child = spawn(process.execPath, [file, ...args], { env: { PATH, HOME, ...env }, stdio: ['ignore', log, log] })
  closeSync(log)
  const exited = once(child, 'exit')
  let peakMib = NaN
  while (child.exitCode === null && child.signalCode === null) {
    const kib = /^VmHWM:\s+(\d+) kB$/m.exec(await readFile(`/proc/${child.pid}/status`, 'utf8').catch(() => ''))?.[1]
    if (kib !== undefined) peakMib = Number(kib) / 1024
    await Promise.race([delay(pollMs), exited])
  }
  const seconds = (performance.now() - begin) / 1000
  if (child.exitCode !== 0) throw new Error(`${args.join(' ')} failed:\n${await readFile(output, 'utf8')}`)
  return { seconds, peakMib }
}

/**
 * Measures `users import` of a file of people with bcrypt hashes into an empty database, and `users export` of them, each
 * as a whole command, with ten times as many people as another time.
 */
export async function measureImport ({ options: { service, rounds }, programs: { folder }, database, note }: Bench): Promise<Section[]> {
  const output = join(folder, 'import.log')
  const series: Record<'few' | 'many', { imports: Run[], exports: Run[] }> = { few: { imports: [], exports: [] }, many: { imports: [], exports: [] } }
  const sizes = [['few', few], ['many', many]] as const
  for (const [name, count] of sizes) await pipeline(Readable.from(people(count)), createWriteStream(join(folder, `${name}.ndjson`)))
  for (let round = 0; round < Math.min(rounds, mostRounds); round++) {
    note(`import, round ${round + 1}`)
    for (const [name] of sizes) {
      const env = await database.environment(`import_${name}_${round}`)
      await measure(service, ['migrate', 'up'], env, output)
      series[name].imports.push(await measure(service, ['users', 'import', join(folder, `${name}.ndjson`)], env, output))
      series[name].exports.push(await measure(service, ['users', 'export', join(folder, `${name}-${round}.ndjson`)], env, output))
    }
  }
  const rate = (count: number, runs: readonly Run[]) => runs.map(({ seconds }) => count / seconds)
  const peak = (runs: readonly Run[]) => runs.map(({ peakMib }) => peakMib)
  return [{
    title: 'Importing and exporting people',
    against: [`${many} people`, `${few} people`],
    rows: [
      rowOf('import', 'people/s', '', rate(many, series.many.imports), rate(few, series.few.imports)),
      rowOf('import, peak memory', 'MiB', 'alike', peak(series.many.imports), peak(series.few.imports)),
      rowOf('export', 'people/s', '', rate(many, series.many.exports), rate(few, series.few.exports)),
      rowOf('export, peak memory', 'MiB', 'alike', peak(series.many.exports), peak(series.few.exports))
    ]
  }]
}

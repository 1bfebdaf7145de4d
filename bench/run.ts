import { writeFile } from 'node:fs/promises'
import { startDatabase } from './database.ts'
import { readOptions } from './options.ts'
import { preparePrograms } from './programs.ts'
import { circumstances, rowOf, toTable, type Row } from './report.ts'
import { interleave } from './rounds.ts'
import { startServer, type Program } from './server-process.ts'
import type { Side } from './side.ts'
import { measureStarts } from './starts.ts'
import { measureStorm } from './storm.ts'
import { measureThroughput } from './throughput.ts'

/**
 * Measures the built service against a bare app (yardstick.ts) on the same PostgreSQL, hash engine and machine, turn by
 * turn, and prints their ratios: docs/reference/benchmarks.md. No figure makes it fail.
 */
const options = readOptions(process.argv.slice(2))
const note = (text: string): void => { process.stderr.write(`${text}\n`) }
const cleanups: Array<() => Promise<void>> = []
async function cleanUp (): Promise<void> {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
}
process.once('SIGINT', () => { cleanUp().finally(() => process.exit(130)) })

async function startSide (name: string, program: Program): Promise<Side> {
  const server = await startServer(program)
  cleanups.push(server.stop)
  return { name, server, emails: [], sessions: [] }
}

async function measureEverything (): Promise<void> {
  const database = await startDatabase()
  cleanups.push(database.close)
  const programs = await preparePrograms(database, options.service)
  cleanups.push(programs.close)
  const rows: Row[] = []

  note('starts')
  const [service, yardstick] = await measureStarts([programs.service, programs.yardstick], options.rounds)
  if (service === undefined || yardstick === undefined) return
  rows.push(
    rowOf('first start, with migrations', 'ms', '', [service.firstMs], [yardstick.firstMs]),
    rowOf('start to ready', 'ms', 'service <= 1500', service.readyMs, yardstick.readyMs))
  if (service.idleRssMib.length === 0) note('idle memory: skipped, this system has no /proc')
  else rows.push(rowOf('idle memory (RSS)', 'MiB', 'service <= 120', service.idleRssMib, yardstick.idleRssMib))

  const sides: [Side, Side] = [await startSide('service', programs.service), await startSide('yardstick', programs.yardstick)]
  const reference = programs.reference === undefined ? undefined : await startSide('reference', programs.reference)
  rows.push(...await measureThroughput(...sides, reference, options, note))

  note('GET /users/me in a login storm')
  const [ours = [], theirs = []] = await interleave(sides, options.rounds, async (side, counted) => await measureStorm(side, counted ? options.seconds : 1))
  rows.push(
    rowOf('GET /users/me p99 in peace', 'ms', '', ours.map(storm => storm.quietMs), theirs.map(storm => storm.quietMs)),
    rowOf('GET /users/me p99 in a login storm', 'ms', '', ours.map(storm => storm.stormMs), theirs.map(storm => storm.stormMs)),
    rowOf('p99 in a storm / in peace', 'times', 'service <= 1.2', ours.map(storm => storm.stormMs / storm.quietMs), theirs.map(storm => storm.stormMs / storm.quietMs)))

  const { rounds, seconds, connections } = options
  const about = circumstances({ engine: programs.engine, rounds, seconds, connections })
  process.stdout.write(`${Object.entries(about).map(([name, value]) => `${name} ${value}`).join(', ')}\n\n${toTable(rows)}`)
  if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify({ ...about, rows }, null, 2)}\n`)
}

try {
  await measureEverything()
} finally {
  await cleanUp()
}

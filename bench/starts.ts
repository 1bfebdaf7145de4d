import { setTimeout as delay } from 'node:timers/promises'
import type { Bench } from './bench.ts'
import { rowOf, type Section } from './report.ts'
import { startServer, type Program } from './server-process.ts'

interface Starts {
  /** Milliseconds of the very first start, which makes the tables; of no other measurement. */
  firstMs: number
  readyMs: number[]
  /** Resident MiB some time after each start, before any request but that for readiness; empty where unknown. */
  idleRssMib: number[]
}

const idleMs = 1000

async function startOnce (program: Program, starts: Starts): Promise<void> {
  const server = await startServer(program)
  await delay(idleMs)
  const rss = await server.rssMib()
  starts.readyMs.push(server.readyAfterMs)
  if (rss !== undefined) starts.idleRssMib.push(rss)
  await server.stop()
}

/** Starts and stops each program in turn, round by round. */
async function startInTurns (programs: readonly Program[], rounds: number): Promise<Starts[]> {
  const measured: Starts[] = []
  for (const program of programs) {
    const first = await startServer(program)
    await first.stop()
    measured.push({ firstMs: first.readyAfterMs, readyMs: [], idleRssMib: [] })
  }
  for (let round = 0; round < rounds; round++) {
    for (const [index, program] of programs.entries()) {
      const starts = measured[index]
      if (starts !== undefined) await startOnce(program, starts)
    }
  }
  return measured
}

/** Measures how soon each is ready, and how much memory it then has. */
export async function measureStarts ({ programs, options, note }: Bench): Promise<Section[]> {
  note('starts')
  const [service, yardstick] = await startInTurns([programs.service, programs.yardstick], options.rounds)
  if (service === undefined || yardstick === undefined) return []
  const rows = [
    rowOf('first start, with migrations', 'ms', '', [service.firstMs], [yardstick.firstMs]),
    rowOf('start to ready', 'ms', 'service <= 1500', service.readyMs, yardstick.readyMs)
  ]
  if (service.idleRssMib.length === 0) note('idle memory: skipped, this system has no /proc')
  else rows.push(rowOf('idle memory (RSS)', 'MiB', 'service <= 120', service.idleRssMib, yardstick.idleRssMib))
  return [{ title: 'Starts', against: ['service', 'yardstick'], rows }]
}

import { setTimeout as delay } from 'node:timers/promises'
import { startServer, type Program } from './server-process.ts'

export interface Starts {
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
export async function measureStarts (programs: readonly Program[], rounds: number): Promise<Starts[]> {
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

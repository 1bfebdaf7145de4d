import { startDatabase, type BenchDatabase } from './database.ts'
import type { BenchOptions } from './options.ts'
import { preparePrograms, type Programs } from './programs.ts'
import type { Section } from './report.ts'
import { startServer, type Program } from './server-process.ts'
import type { Side } from './side.ts'

/** What the measurements have in common: one PostgreSQL, and the programs that are measured on it. */
export interface Bench {
  options: BenchOptions
  note (text: string): void
  database: BenchDatabase
  programs: Programs
  /** Starts a program; it knows the people whom an earlier one registered in the same database. */
  start (name: string, program: Program): Promise<Side>
  close (): Promise<void>
}

/** Measures one thing and says what it came to. */
export type Part = (bench: Bench) => Promise<Section[]>

export async function openBench (options: BenchOptions): Promise<Bench> {
  const cleanups: Array<() => Promise<void>> = []
  const close = async (): Promise<void> => { for (const cleanup of cleanups.splice(0).reverse()) await cleanup() }
  process.once('SIGINT', () => { close().finally(() => process.exit(130)) })
  try {
    const database = await startDatabase()
    cleanups.push(database.close)
    const programs = await preparePrograms(database, options.service)
    cleanups.push(programs.close)
    const people = new Map<string | undefined, string[]>()
    return {
      options,
      note: text => { process.stderr.write(`${text}\n`) },
      database,
      programs,
      async start (name, program) {
        const server = await startServer(program)
        cleanups.push(server.stop)
        const emails = people.get(program.env.DATABASE_URL) ?? []
        people.set(program.env.DATABASE_URL, emails)
        return { name, server, emails, deviceTokens: new Map(), sessions: [] }
      },
      close
    }
  } catch (error) {
    await close()
    throw error
  }
}

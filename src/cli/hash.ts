import { randomBytes } from 'node:crypto'
import { totalmem } from 'node:os'
import { Command } from 'commander'
import { loadConfig } from '../config.ts'
import { calibrate, fewestPasses, type Measurement } from '../passwords/calibrate.ts'
import { loadHashEngine } from '../passwords/engines.ts'
import { owaspParameters, parameterBounds } from '../passwords/phc.ts'
import { misuse } from './exit.ts'
import { print, printJson, table, type OutputOptions } from './output.ts'
import { parseWhole } from './parse.ts'
import type { Surroundings } from './surroundings.ts'

interface CalibrateOptions extends OutputOptions { targetMs: number, memoryKib?: number }

/** Part of this machine's memory that one hash may take: several are computed at once, and the service is not alone. */
const memoryShare = 32

const maxMemoryKib = Math.max(owaspParameters.memoryKib, Math.min(parameterBounds.memoryKib.maximum, Math.floor(totalmem() / 1024 / memoryShare)))

const rowOf = ({ memoryKib, timeCost, parallelism, milliseconds }: Measurement): string[] => [memoryKib, timeCost, parallelism, milliseconds].map(String)

export function hashCommand (surroundings: Surroundings): Command {
  const { env, stdout, stderr } = surroundings

  async function calibrateHere ({ targetMs, memoryKib, json = false }: CalibrateOptions): Promise<void> {
    if (memoryKib !== undefined && fewestPasses(memoryKib) === undefined) throw misuse('--memory-kib must be 7168 at least: below it OWASP holds no number of passes to be enough')
    const engine = await loadHashEngine(loadConfig(env()).passwords.engine)
    const password = randomBytes(12).toString('base64')
    const result = await calibrate({ hash: async parameters => await engine.hash(password, parameters), targetMs, memoryKib, maxMemoryKib })
    const { measured, recommended, withinTarget } = result
    if (!withinTarget) print(stderr, `Not even the least that OWASP asks for stays within ${targetMs} ms on this machine; it is what you need all the same.`)
    if (json) return printJson(stdout, { engine: engine.name, targetMs, ...result })
    print(stdout, table(['MEMORY KIB', 'TIME COST', 'PARALLELISM', 'MS'], measured.map(rowOf)))
    print(stdout, `
# ${engine.name}: ${recommended.milliseconds} ms for one hash
ARGON2_MEMORY_KIB=${recommended.memoryKib}
ARGON2_TIME_COST=${recommended.timeCost}
ARGON2_PARALLELISM=${recommended.parallelism}`)
  }

  return new Command('hash')
    .description('look after password hashes')
    .addHelpText('after', `
Examples:
  auth-serve hash calibrate
  auth-serve hash calibrate --target-ms 100
  auth-serve hash calibrate --memory-kib 65536 --json`)
    .addCommand(new Command('calibrate')
      .description('measure argon2id on this machine, and print the strongest settings that stay within a target; needs no database')
      .option('--target-ms <milliseconds>', 'what one hash may take', parseWhole(1, 10_000), 50)
      .option('--memory-kib <number>', 'memory of a hash; then only the passes are found', parseWhole(1, parameterBounds.memoryKib.maximum))
      .option('--json', 'JSON instead of a table and lines for .env')
      .action(calibrateHere))
}

import { Command } from 'commander'
import { writeDump } from '../../db/dump/write-dump.ts'
import { version } from '../../version.ts'
import { misuse } from '../exit.ts'
import { print, printJson, table, type OutputOptions } from '../output.ts'
import { createProgress } from '../progress.ts'
import { secretsOf } from '../secrets.ts'
import type { Surroundings } from '../surroundings.ts'
import { withDatabase } from '../with-database.ts'
import { requireFree, writeDumpFile, writeDumpTo } from './dump-file.ts'

interface DumpOptions extends OutputOptions { force?: boolean }

/** How many rows each table has, for people. */
export const tableOfRows = (rows: Record<string, number>): string =>
  table(['TABLE', 'ROWS'], Object.entries(rows).map(([name, count]) => [name, String(count)]))

export function dumpCommand (surroundings: Surroundings): Command {
  const { stdout, stderr } = surroundings

  async function dump (file: string, { force = false, json = false }: DumpOptions): Promise<void> {
    const toStdout = file === '-'
    if (toStdout && stdout.isTTY === true) throw misuse('a dump is nothing for a terminal: name a file, or pipe it on')
    if (!toStdout) await requireFree(file, { force })
    const rows = await withDatabase(surroundings, async (pool, config) => {
      const secrets = await secretsOf(config)
      const progress = createProgress(stderr, { title: 'rows dumped' })
      try {
        return await writeDump(pool, {
          release: version,
          secretId: secrets.current.id,
          write: async lines => { await (toStdout ? writeDumpTo(stdout, lines) : writeDumpFile(file, lines, { force })) },
          onProgress: progress.update
        })
      } finally {
        progress.stop()
      }
    })
    // Where the dump itself goes to stdout, what is said of it goes elsewhere.
    const output = toStdout ? stderr : stdout
    if (json) printJson(output, { file, release: version, rows })
    else print(output, tableOfRows(rows))
  }

  return new Command('dump')
    .description('write all data as of this moment to a file, beside a service that runs')
    .argument('<file>', 'where to; "-" is standard output')
    .option('--force', 'replace the file where it exists')
    .option('--json', 'JSON instead of a table')
    .action(dump)
}

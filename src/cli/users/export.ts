import { finished } from 'node:stream/promises'
import { Command } from 'commander'
import { createDatabase } from '../../db/stores.ts'
import { exportPeople } from '../../import/export-people.ts'
import { bringUp } from '../bring-up.ts'
import { requireFree, writeOutputFile } from '../output-file.ts'
import { print, printJson, write, type OutputOptions } from '../output.ts'
import { createProgress } from '../progress.ts'
import type { Output, Surroundings } from '../surroundings.ts'
import { withDatabase } from '../with-database.ts'

interface ExportOptions extends OutputOptions { force?: boolean, hashes: boolean }

export function exportCommand (surroundings: Surroundings): Command {
  const { stdout, stderr } = surroundings

  async function run (path: string, { force = false, hashes, json = false }: ExportOptions): Promise<void> {
    if (path !== '-') await requireFree(path, { force })
    const count = await withDatabase(surroundings, async (pool, config) => {
      if (config.database.migrate) await bringUp(pool)
      const database = createDatabase(pool)
      const progress = createProgress(stderr, { title: 'exporting' })
      const work = async (output: Output): Promise<number> =>
        await exportPeople(database, { withHashes: hashes, write: async text => { await write(output, text) }, onProgress: progress.update })
      try {
        if (path === '-') return await work(stdout)
        let people = 0
        await writeOutputFile(path, async file => {
          people = await work(file)
          await finished(file.end())
        }, { force })
        return people
      } finally {
        progress.stop()
      }
    })
    if (path === '-') print(stderr, `exported ${count}`)
    else if (json) printJson(stdout, { exported: count })
    else print(stdout, `exported ${count}`)
    if (hashes) print(stderr, 'It holds the hashes of all passwords: keep it as secret as the database.')
  }

  return new Command('export')
    .description('write everybody to a file that "users import" reads, a JSON object per line; sessions and events are not in it')
    .argument('<file>', 'file to write, readable by its owner only, or - for standard output')
    .option('--force', 'overwrite a file that exists')
    .option('--no-hashes', 'leave the hashes of the passwords out')
    .option('--json', 'how many they were, in JSON')
    .addHelpText('after', `
Examples:
  auth-serve users export people.ndjson
  auth-serve users export --no-hashes - | jq .email`)
    .action(run)
}

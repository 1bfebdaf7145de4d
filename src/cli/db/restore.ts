import { Command } from 'commander'
import { restoreDump } from '../../db/dump/restore-dump.ts'
import { confirm, yesOption, type ConfirmOptions } from '../confirm.ts'
import { print, printJson, type OutputOptions } from '../output.ts'
import { createProgress } from '../progress.ts'
import { secretsOf } from '../secrets.ts'
import type { Surroundings } from '../surroundings.ts'
import { withDatabase } from '../with-database.ts'
import { tableOfRows } from './dump.ts'
import { openDump } from './dump-file.ts'

export function restoreCommand (surroundings: Surroundings): Command {
  const { stdin, stdout, stderr } = surroundings

  async function restore (file: string, { json = false, ...options }: OutputOptions & ConfirmOptions): Promise<void> {
    await confirm(surroundings, 'Whatever the database holds is replaced; one that has users is refused.', options)
    const source = await openDump(file, stdin)
    const { header, rows, migrated } = await withDatabase(surroundings, async (pool, config) => {
      const secrets = await secretsOf(config)
      const progress = createProgress(stderr, { title: 'rows restored' })
      try {
        return await restoreDump(pool, {
          source,
          onHeader: ({ secretId }) => {
            if (secrets.find(secretId) === undefined) print(stderr, 'The dump was made under another AUTH_SECRET: give the service the one that belongs to it, or nothing that was issued before counts.')
          },
          onProgress: progress.update
        })
      } finally {
        progress.stop()
      }
    })
    if (json) return printJson(stdout, { release: header.release, createdAt: header.createdAt, rows, migrated })
    print(stdout, tableOfRows(rows))
    for (const name of migrated) print(stdout, `applied ${name}`)
  }

  return new Command('restore')
    .description('fill a database that has no users with a dump; no service may be running on it')
    .argument('<file>', 'a file that "db dump" wrote; "-" is standard input')
    .option(...yesOption)
    .option('--json', 'JSON instead of a table')
    .action(restore)
}

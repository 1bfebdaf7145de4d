import { once } from 'node:events'
import { constants, open, access, rename, rm } from 'node:fs/promises'
import { Command } from 'commander'
import { migrateUp } from '../../db/migrations.ts'
import { createDatabase } from '../../db/stores.ts'
import { exportPeople } from '../../import/export-people.ts'
import { CommandError, misuse } from '../exit.ts'
import { print, printJson, type OutputOptions } from '../output.ts'
import { createProgress } from '../progress.ts'
import type { Output, Surroundings } from '../surroundings.ts'
import { withDatabase } from '../with-database.ts'

interface ExportOptions extends OutputOptions { force?: boolean, hashes: boolean }

type Write = (text: string) => Promise<void>

async function toStream (output: Output, work: (write: Write) => Promise<number>): Promise<number> {
  return await work(async text => { if (!output.write(text)) await once(output, 'drain') })
}

/** Writes a file that nobody else may read and that has its name only once it is whole. */
async function toFile (path: string, force: boolean, work: (write: Write) => Promise<number>): Promise<number> {
  if (!force && await access(path, constants.F_OK).then(() => true, () => false)) throw misuse(`${path} exists already; --force overwrites it`)
  const unfinished = `${path}.${process.pid}.part`
  const fail = (error: unknown): never => { throw new CommandError(`${path} cannot be written (${error instanceof Error && 'code' in error ? error.code : error}).`) }
  const file = await open(unfinished, 'wx', 0o600).catch(fail)
  try {
    const count = await work(async text => { await file.appendFile(text).catch(fail) })
    await file.sync().catch(fail)
    await file.close()
    await rename(unfinished, path).catch(fail)
    return count
  } catch (error) {
    await file.close()
    await rm(unfinished, { force: true })
    throw error
  }
}

export function exportCommand (surroundings: Surroundings): Command {
  const { stdout, stderr } = surroundings

  async function run (path: string, { force = false, hashes, json = false }: ExportOptions): Promise<void> {
    const count = await withDatabase(surroundings, async (pool, config) => {
      if (config.database.migrate) await migrateUp(pool)
      const database = createDatabase(pool)
      const progress = createProgress(stderr, { title: 'exporting' })
      const work = async (write: Write): Promise<number> => await exportPeople(database, { withHashes: hashes, write, onProgress: progress.update })
      try {
        return path === '-' ? await toStream(stdout, work) : await toFile(path, force, work)
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

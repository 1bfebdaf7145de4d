import { Command } from 'commander'
import { migrateDown, migrateUp, migrationStatus } from '../db/migrations.ts'
import { withDatabase } from './with-database.ts'

const print = (line: string): void => { process.stdout.write(`${line}\n`) }

export const migrateCommand = new Command('migrate')
  .description('bring the database schema to this release, or back')
  .addCommand(new Command('up')
    .description('apply every missing migration')
    .action(async () => {
      const applied = await withDatabase(migrateUp)
      for (const name of applied) print(`applied ${name}`)
      if (applied.length === 0) print('nothing to apply')
    }))
  .addCommand(new Command('down')
    .description('take the newest migration back; the data of what it added is lost')
    .action(async () => {
      const name = await withDatabase(migrateDown)
      print(name === undefined ? 'nothing to take back' : `took back ${name}`)
    }))
  .addCommand(new Command('status')
    .description('list the migrations and whether the database has them')
    .action(async () => {
      for (const { name, applied } of await withDatabase(migrationStatus)) print(`${applied ? 'applied' : 'pending'} ${name}`)
    }))

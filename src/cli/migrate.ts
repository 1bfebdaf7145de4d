import { Command } from 'commander'
import { createAuditMonthStore } from '../db/audit-months.ts'
import { migrateDown, migrateUp, migrationStatus } from '../db/migrations.ts'
import { confirm, yesOption, type ConfirmOptions } from './confirm.ts'
import { print, printJson, type OutputOptions } from './output.ts'
import type { Surroundings } from './surroundings.ts'
import { withDatabase } from './with-database.ts'

export function migrateCommand (surroundings: Surroundings): Command {
  const { stdout } = surroundings

  async function up ({ json = false }: OutputOptions): Promise<void> {
    const applied = await withDatabase(surroundings, async pool => {
      const applied = await migrateUp(pool)
      // Where the role of the service may not, this is what makes them.
      await createAuditMonthStore(async query => await pool.transaction(query)).makeAhead()
      return applied
    })
    if (json) return printJson(stdout, { applied })
    for (const name of applied) print(stdout, `applied ${name}`)
    if (applied.length === 0) print(stdout, 'nothing to apply')
  }

  async function down ({ json = false, ...options }: OutputOptions & ConfirmOptions): Promise<void> {
    await confirm(surroundings, 'The newest migration is taken back, and the data of what it added is lost.', options)
    const name = await withDatabase(surroundings, migrateDown)
    if (json) return printJson(stdout, { takenBack: name ?? null })
    print(stdout, name === undefined ? 'nothing to take back' : `took back ${name}`)
  }

  async function status ({ json = false }: OutputOptions): Promise<void> {
    const migrations = await withDatabase(surroundings, migrationStatus)
    if (json) return printJson(stdout, migrations)
    for (const { name, applied } of migrations) print(stdout, `${applied ? 'applied' : 'pending'} ${name}`)
  }

  return new Command('migrate')
    .description('bring the database schema to this release, or back')
    .addHelpText('after', `
Examples:
  auth-serve migrate status
  auth-serve migrate up
  auth-serve migrate down --yes`)
    .addCommand(new Command('up')
      .description('apply every missing migration, and make the months of the audit trail that come')
      .option('--json', 'JSON instead of lines')
      .action(up))
    .addCommand(new Command('down')
      .description('take the newest migration back; the data of what it added is lost')
      .option(...yesOption)
      .option('--json', 'JSON instead of a line')
      .action(down))
    .addCommand(new Command('status')
      .description('list the migrations and whether the database has them')
      .option('--json', 'JSON instead of lines')
      .action(status))
}

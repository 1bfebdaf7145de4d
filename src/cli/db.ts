import { Command } from 'commander'
import { dumpCommand } from './db/dump.ts'
import { restoreCommand } from './db/restore.ts'
import type { Surroundings } from './surroundings.ts'

export function dbCommand (surroundings: Surroundings): Command {
  return new Command('db')
    .description('move the database to another folder, machine or PostgreSQL')
    .addHelpText('after', `
A dump holds what the database holds: keep it as secret. AUTH_SECRET (in development: DATA_DIR/secret) must move along.

Examples:
  auth-serve db dump backup.gz
  DATA_DIR=/srv/new auth-serve db restore backup.gz
  auth-serve db dump - | ssh other auth-serve db restore --yes -`)
    .addCommand(dumpCommand(surroundings))
    .addCommand(restoreCommand(surroundings))
}

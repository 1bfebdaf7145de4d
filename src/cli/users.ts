import { Command } from 'commander'
import type { Surroundings } from './surroundings.ts'
import { createCommand } from './users/create.ts'
import { exportCommand } from './users/export.ts'
import { importCommand } from './users/import.ts'
import { listCommand } from './users/list.ts'
import { disableCommand, enableCommand } from './users/set-active.ts'
import { unlockCommand } from './users/unlock.ts'

export function usersCommand (surroundings: Surroundings): Command {
  return new Command('users')
    .description('manage people')
    .addHelpText('after', `
Examples:
  auth-serve users create --email root@example.com --role admin
  auth-serve users create --email ada@example.com --invite
  auth-serve users list --disabled
  auth-serve users list --role admin --json
  auth-serve users disable ada@example.com
  auth-serve users unlock 01920000-0000-7000-8000-000000000001`)
    .addCommand(createCommand(surroundings))
    .addCommand(importCommand(surroundings))
    .addCommand(exportCommand(surroundings))
    .addCommand(listCommand(surroundings))
    .addCommand(disableCommand(surroundings))
    .addCommand(enableCommand(surroundings))
    .addCommand(unlockCommand(surroundings))
}

import { Command } from 'commander'
import type { Surroundings } from './surroundings.ts'
import { createCommand } from './users/create.ts'
import { exportCommand } from './users/export.ts'
import { importCommand } from './users/import.ts'

export function usersCommand (surroundings: Surroundings): Command {
  return new Command('users')
    .description('manage people')
    .addCommand(createCommand(surroundings))
    .addCommand(importCommand(surroundings))
    .addCommand(exportCommand(surroundings))
}

import { Command } from 'commander'
import type { Surroundings } from './surroundings.ts'
import { createCommand } from './users/create.ts'

export function usersCommand (surroundings: Surroundings): Command {
  return new Command('users')
    .description('manage people')
    .addCommand(createCommand(surroundings))
}

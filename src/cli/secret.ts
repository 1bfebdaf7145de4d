import { Command } from 'commander'
import { generateSecret } from '../config.ts'
import { print } from './output.ts'
import type { Surroundings } from './surroundings.ts'

export function secretCommand ({ stdout }: Surroundings): Command {
  return new Command('secret')
    .description('print a good AUTH_SECRET')
    .addHelpText('after', `
Examples:
  echo "AUTH_SECRET=$(auth-serve secret)" >> .env`)
    .action(() => { print(stdout, generateSecret()) })
}

import { Command } from 'commander'
import { generateSecret } from '../config.ts'

export const secretCommand = new Command('secret')
  .description('print a good AUTH_SECRET')
  .action(() => { process.stdout.write(`${generateSecret()}\n`) })

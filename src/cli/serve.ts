import { Command } from 'commander'
import { loadConfig } from '../config.ts'
import type { Surroundings } from './surroundings.ts'

export function serveCommand ({ env }: Surroundings): Command {
  return new Command('serve')
    .description('run the service until SIGINT or SIGTERM')
    .addHelpText('after', `
Examples:
  auth-serve serve
  PORT=8080 DATA_DIR=/var/lib/auth-serve auth-serve serve`)
    .action(async () => {
      // Loaded here: no other command needs the server, and each starts faster without it.
      const { serve } = await import('../server.ts')
      await serve(loadConfig(env()))
    })
}

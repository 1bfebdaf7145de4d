import { Command } from 'commander'
import { loadConfig } from '../config.ts'

export const serveCommand = new Command('serve')
  .description('run the service until SIGINT or SIGTERM')
  .action(async () => {
    // Loaded here: no other command needs the server, and each starts faster without it.
    const { serve } = await import('../server.ts')
    await serve(loadConfig())
  })

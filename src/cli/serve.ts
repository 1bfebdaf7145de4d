import { Command } from 'commander'
import { loadConfig } from '../config.ts'
import { serve } from '../server.ts'

export const serveCommand = new Command('serve')
  .description('run the service until SIGINT or SIGTERM')
  .action(async () => { await serve(loadConfig()) })

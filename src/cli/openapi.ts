import { Command } from 'commander'
import { generateSecret, loadConfig } from '../config.ts'
import { createLogger } from '../logging/create-logger.ts'
import { print, printJson } from './output.ts'
import type { Surroundings } from './surroundings.ts'

export function openapiCommand ({ env, stdout }: Surroundings): Command {
  return new Command('openapi')
    .description('print the OpenAPI document of the configured service; needs no database')
    .option('--yaml', 'YAML instead of JSON')
    .addHelpText('after', `
Examples:
  auth-serve openapi > openapi.json
  auth-serve openapi --yaml`)
    .action(async ({ yaml = false }: { yaml?: boolean }) => {
      const { createApp } = await import('../app.ts')
      const config = loadConfig(env())
      config.server.docsEnabled = true
      config.database.migrate = false
      const app = createApp({
        config,
        // Nothing listens there: the document needs the routes only.
        database: { url: 'postgres://localhost:1/none' },
        secrets: [generateSecret()],
        keys: [],
        logger: createLogger({ level: 'silent', pretty: false })
      })
      try {
        const response = await app.inject(yaml ? '/docs/yaml' : '/docs/json')
        if (yaml) print(stdout, response.body.trimEnd())
        else printJson(stdout, response.json())
      } finally {
        await app.close()
      }
    })
}

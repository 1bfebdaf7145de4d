import { Command } from 'commander'
import { generateSecret, loadConfig } from '../config.ts'
import { createLogger } from '../logging/create-logger.ts'

export const openapiCommand = new Command('openapi')
  .description('print the OpenAPI document of the configured service; needs no database')
  .option('--yaml', 'YAML instead of JSON')
  .action(async ({ yaml = false }: { yaml?: boolean }) => {
    const { createApp } = await import('../app.ts')
    const config = loadConfig()
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
      process.stdout.write(yaml ? response.body : `${JSON.stringify(response.json(), null, 2)}\n`)
    } finally {
      await app.close()
    }
  })

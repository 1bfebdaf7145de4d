import { isatty } from 'node:tty'
import closeWithGrace from 'close-with-grace'
import { createApp } from './app.ts'
import type { Config } from './config.ts'
import { readOrCreateSecret } from './config/secret-file.ts'
import { openDatabase } from './database-location.ts'
import { createLogger, flushLogs } from './logging/create-logger.ts'

/**
 * Runs the service until a signal asks it to stop: it turns unready, finishes what is in flight and lets go of the
 * database, within `shutdownTimeoutMs`. Rejects what keeps it from starting.
 */
export async function serve (config: Config): Promise<void> {
  const { server, database, tokens, logging } = config
  const logger = createLogger({ level: logging.level, pretty: server.environment === 'development' && isatty(1) })
  const opened = await openDatabase(config, logger)
  try {
    const secrets = tokens.secrets ?? [await readOrCreateSecret(database.dataDir)]
    const app = createApp({ config, database: opened.location, secrets, logger })
    closeWithGrace({ delay: server.shutdownTimeoutMs, logger }, async ({ err, signal }) => {
      if (err !== undefined) logger.fatal({ err }, 'unexpected error; stopping')
      else logger.info({ event: 'sys_shutdown', signal }, 'stopping')
      await app.close()
      await opened.close()
      await flushLogs(logger)
    })
    await app.listen({ host: server.host, port: server.port })
    logger.info({ event: 'sys_startup', publicUrl: server.publicUrl }, 'ready')
  } catch (error) {
    await opened.close()
    await flushLogs(logger)
    throw error
  }
}

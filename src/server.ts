import { isatty } from 'node:tty'
import closeWithGrace from 'close-with-grace'
import type { Logger } from 'pino'
import { createApp } from './app.ts'
import type { Config } from './config.ts'
import { readOrCreateSecret } from './config/secret-file.ts'
import { openDatabase } from './database-location.ts'
import { createDrain } from './drain.ts'
import { readKeyFiles } from './key-files.ts'
import { createLogger, flushLogs } from './logging/create-logger.ts'
import { installLevelSwitch } from './logging/level-switch.ts'
import { openLogFile } from './logging/log-file.ts'

/** Part of the time for a shutdown that requests in flight get; the rest is for closing in order. */
const drainShare = 0.75

async function openLogger ({ server, logging }: Config): Promise<Logger> {
  const file = logging.file === undefined ? undefined : await openLogFile({ path: logging.file, maxFileBytes: logging.fileMaxBytes, maxFiles: logging.fileMaxCount })
  return createLogger({ level: logging.level, pretty: server.environment === 'development' && isatty(1), ...file === undefined ? {} : { file } })
}

/**
 * Runs the service until a signal asks it to stop: it turns unready, finishes what is in flight and lets go of the
 * database, within `shutdownTimeoutMs`. Requests that take more than three quarters of it are cut, so that the rest is
 * closed in order and the exit code is 0; should even that hang, the process ends with 1 when the time is over.
 * Rejects what keeps the service from starting, with everything closed again.
 */
export async function serve (config: Config): Promise<void> {
  const { server, database, tokens } = config
  const logger = await openLogger(config)
  installLevelSwitch(logger)
  /** What to let go of, the newest last. */
  const opened: (() => Promise<void>)[] = []
  const closeAll = async (): Promise<void> => {
    for (let close = opened.pop(); close !== undefined; close = opened.pop()) await close()
    await flushLogs(logger)
  }

  async function start (): Promise<void> {
    const keys = await readKeyFiles(tokens.keyFiles ?? [])
    const { location, close } = await openDatabase(config, logger)
    opened.push(close)
    const secrets = tokens.secrets ?? [await readOrCreateSecret(database.dataDir)]
    const app = createApp({ config, database: location, secrets, keys, logger })
    const drain = createDrain(app.server)
    opened.push(async () => {
      const stop = drain.begin(server.shutdownTimeoutMs * drainShare, requests => {
        logger.warn({ requests }, 'requests took longer than the shutdown may; they were cut')
      })
      await app.close()
      stop()
    })
    await app.listen({ host: server.host, port: server.port })
    logger.info({ event: 'sys_startup', publicUrl: server.publicUrl }, 'ready')
  }

  // Installed before anything is started, so that a signal meanwhile leaves nothing behind.
  const grace = closeWithGrace({ delay: server.shutdownTimeoutMs, logger, skip: ['SIGUSR2'] }, async ({ err, signal }) => {
    if (err !== undefined) logger.fatal({ err }, 'unexpected error; stopping')
    else logger.info({ event: 'sys_shutdown', signal }, 'stopping')
    await started.catch(() => {})
    await closeAll()
  })
  const started = start()
  try {
    await started
  } catch (error) {
    grace.uninstall()
    await closeAll()
    throw error
  }
}

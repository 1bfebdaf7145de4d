import type { Server, ServerResponse } from 'node:http'
import { isatty } from 'node:tty'
import closeWithGrace from 'close-with-grace'
import { createApp } from './app.ts'
import type { Config } from './config.ts'
import { readOrCreateSecret } from './config/secret-file.ts'
import { openDatabase } from './database-location.ts'
import { createLogger, flushLogs } from './logging/create-logger.ts'

/** Milliseconds between two looks at what is still in flight. */
const lookEveryMs = 100

/** Counts the requests that a server has not answered yet, by their connections closing or their answers leaving. */
function countInFlight (server: Server): () => number {
  let count = 0
  server.on('request', (_request, response: ServerResponse) => {
    count++
    response.once('close', () => { count-- })
  })
  return () => count
}

/**
 * Ends what keeps a server that has stopped listening from closing: connections without a whole request as soon as
 * nothing is in flight, and everything once `graceMs` are over. Node.js enforces no timeouts of its own by then.
 */
function endConnections (server: Server, inFlight: () => number, graceMs: number, onCut: (requests: number) => void): NodeJS.Timeout {
  const end = performance.now() + graceMs
  let quiet = 0
  return setInterval(() => {
    // Two quiet looks in a row: a request may be on its way on a connection that was just opened.
    quiet = !server.listening && inFlight() === 0 ? quiet + 1 : 0
    const late = performance.now() > end
    if (late && inFlight() > 0) onCut(inFlight())
    if (late || quiet > 1) server.closeAllConnections()
  }, lookEveryMs)
}

/**
 * Runs the service until a signal asks it to stop: it turns unready, finishes what is in flight and lets go of the
 * database, within `shutdownTimeoutMs`. Requests that take more than three quarters of it are cut, so that the rest is
 * closed in order and the exit code is 0; should even that hang, the process ends with 1 when the time is over.
 * Rejects what keeps the service from starting.
 */
export async function serve (config: Config): Promise<void> {
  const { server, database, tokens, logging } = config
  const logger = createLogger({ level: logging.level, pretty: server.environment === 'development' && isatty(1) })
  const opened = await openDatabase(config, logger)
  try {
    const secrets = tokens.secrets ?? [await readOrCreateSecret(database.dataDir)]
    const app = createApp({ config, database: opened.location, secrets, logger })
    const inFlight = countInFlight(app.server)
    closeWithGrace({ delay: server.shutdownTimeoutMs, logger }, async ({ err, signal }) => {
      if (err !== undefined) logger.fatal({ err }, 'unexpected error; stopping')
      else logger.info({ event: 'sys_shutdown', signal }, 'stopping')
      const timer = endConnections(app.server, inFlight, server.shutdownTimeoutMs * 0.75, requests => {
        logger.warn({ requests }, 'requests took longer than the shutdown may; they were cut')
      })
      await app.close()
      clearInterval(timer)
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

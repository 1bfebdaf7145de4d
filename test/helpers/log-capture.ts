import type { FastifyBaseLogger } from 'fastify'
import { createLogger } from '../../src/logging/create-logger.ts'

export interface LogCapture {
  logger: FastifyBaseLogger
  lines(): Record<string, unknown>[]
  text(): string
}

/** The logger of the service, writing into memory. */
export function createLogCapture (): LogCapture {
  let text = ''
  const logger = createLogger({ level: 'debug', pretty: false, destination: { write: (line: string) => { text += line } } })
  return {
    logger,
    text: () => text,
    lines: () => text.split('\n').filter(line => line !== '').map(line => JSON.parse(line))
  }
}

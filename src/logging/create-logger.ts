import { createRequire } from 'node:module'
import { pino, stdTimeFunctions, type DestinationStream, type LevelWithSilentOrString, type Logger } from 'pino'
import { createDescriptorSink, createLineWriter, type ChunkSink, type LineWriter } from './line-writer.ts'
import { scrubLine } from './scrub.ts'
import { serializeError } from './serialize-error.ts'

export interface LoggerOptions {
  level: LevelWithSilentOrString
  /** Lines for a person at a terminal instead of JSON. */
  pretty: boolean
  /** A file descriptor, by default that of stdout, or a stream that takes lines. */
  destination?: number | DestinationStream
  /** Takes every line too, always as JSON: see `openLogFile`. */
  file?: ChunkSink
  /** Bytes that may wait for a slow reader before lines are dropped and counted. */
  maxBufferBytes?: number
}

const defaultMaxBufferBytes = 32 * 1024 * 1024

/** Loaded on demand: no production process carries it. */
function loadPrettifier (): (line: string) => string {
  const pinoPretty: typeof import('pino-pretty') = createRequire(import.meta.url)('pino-pretty')
  return pinoPretty.prettyFactory({ ignore: 'pid,service', translateTime: 'SYS:HH:MM:ss.l' })
}

function errorIn (logged: unknown): Error | undefined {
  if (logged instanceof Error) return logged
  return typeof logged === 'object' && logged !== null && 'err' in logged && logged.err instanceof Error ? logged.err : undefined
}

/** Gives each line to both; the file gets JSON, whoever reads the other one may want it pretty. */
function combine (first: DestinationStream | LineWriter, file: LineWriter | undefined, prettify: ((line: string) => string) | undefined) {
  return {
    write (line: string) {
      first.write(prettify === undefined ? line : prettify(line))
      file?.write(line)
    },
    flush (done: () => void) {
      const flushFile = (): void => file === undefined ? done() : file.flush(done)
      if ('flush' in first) first.flush(flushFile)
      else flushFile()
    }
  }
}

/**
 * The logger of the standalone service: one JSON object per line with time (ISO 8601), level, service and pid. Writing
 * never blocks the event loop, lines are not lost when the process exits, and whatever looks like a secret is replaced
 * in every line as the last net. With a `file` every line goes to both.
 */
export function createLogger ({ level, pretty, destination = 1, file, maxBufferBytes = defaultMaxBufferBytes }: LoggerOptions): Logger {
  const onDropped = (lines: number): void => logger.warn({ droppedLines: lines }, 'log lines were dropped: they are read too slowly')
  const fileWriter = file && createLineWriter(file, {
    maxBufferBytes,
    onDropped,
    onFailed: error => logger.error({ err: error }, 'the log file cannot be written; its lines wait')
  })
  const main = typeof destination === 'number' ? createLineWriter(createDescriptorSink(destination), { maxBufferBytes, onDropped }) : destination
  const logger: Logger = pino({
    level,
    base: { service: 'auth-serve', pid: process.pid },
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: label => ({ level: label }) },
    serializers: { err: serializeError },
    hooks: {
      logMethod (args, method) {
        // Without a message pino takes that of the error, which may hold what its serializer leaves out.
        const [first, message]: unknown[] = args
        const error = errorIn(first)
        if (error === undefined || message !== undefined) return method.apply(this, args)
        const { message: safe, type } = serializeError(error)
        method.apply(this, [first === error ? { err: error } : first, safe ?? type])
      },
      streamWrite: scrubLine
    }
  }, combine(main, fileWriter, pretty ? loadPrettifier() : undefined))
  return logger
}

/** Resolves once every line of a logger is written, or cannot be; to be awaited before a process is ended on purpose. */
export async function flushLogs (logger: Logger): Promise<void> {
  await new Promise<void>(resolve => logger.flush(() => resolve()))
}

import { once, type EventEmitter } from 'node:events'
import { writeSync } from 'node:fs'
import { createRequire } from 'node:module'
import { resolve } from 'node:path'
import type { ChunkSink } from './line-writer.ts'

export interface LogFileOptions {
  /** `logs/service.log` becomes `logs/service.1.log`, `logs/service.2.log` and so on. The folder must exist. */
  path: string
  /** Bytes after which a new file is begun; at least 4096. */
  maxFileBytes?: number
  /** Files that are kept, the one being written included; at least 2. */
  maxFiles?: number
}

/** The log file cannot be written; `message` says what to do. */
export class LogFileError extends Error {
  constructor (message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'LogFileError'
  }
}

/** What is used of pino-roll's stream, a sonic-boom: `file` is the one that it wants to write, `fd` the one it has open. */
interface RollingStream extends EventEmitter { readonly fd: number, readonly file: string | null, write(text: string): boolean }

interface RollOptions { file: string, size: string, limit: { count: number, removeOtherLogFiles: boolean }, mode: number }

const defaultMaxFileBytes = 50 * 1024 * 1024
const defaultMaxFiles = 10

/** Owner and group only: a log names people. */
const mode = 0o640

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'its folder does not exist: create it',
  ENOTDIR: 'its folder is a file',
  EACCES: 'this user may not write there',
  EPERM: 'this user may not write there',
  EROFS: 'the file system is read-only',
  EISDIR: 'there is a folder of that name',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up'
}

function explain (path: string, error: unknown): LogFileError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const reason = reasons[code] ?? (error instanceof Error ? error.message : String(error))
  return new LogFileError(`The log file ${path} cannot be written: ${reason}${code === '' ? '' : ` (${code})`}.`, { cause: error })
}

async function openRolling (path: string, options: RollOptions): Promise<RollingStream> {
  // Loaded on demand: only a service with a log file carries it. It has no types of its own.
  const roll: (options: RollOptions) => Promise<RollingStream> = createRequire(import.meta.url)('pino-roll')
  try {
    const stream = await roll(options)
    // It opens its file asynchronously; `once` rejects with what it says at 'error'.
    await once(stream, 'ready')
    return stream
  } catch (error) {
    throw explain(path, error)
  }
}

/**
 * Opens a log file that is rolled by size by pino-roll, inside this process. One chunk at a time is with pino-roll, and
 * none while it changes files: all others stay with the line writer, whose bounds, retries and last words at an exit
 * pino-roll's stream (sonic-boom) does not have.
 *
 * @throws LogFileError when the file cannot be opened for writing.
 */
export async function openLogFile ({ path, maxFileBytes = defaultMaxFileBytes, maxFiles = defaultMaxFiles }: LogFileOptions): Promise<ChunkSink> {
  if (!Number.isSafeInteger(maxFileBytes) || maxFileBytes < 4096) throw new LogFileError('maxFileBytes is a whole number of at least 4096.')
  if (!Number.isSafeInteger(maxFiles) || maxFiles < 2) throw new LogFileError('maxFiles is a whole number of at least 2.')
  const stream = await openRolling(path, {
    file: resolve(path),
    size: `${maxFileBytes}b`,
    limit: { count: maxFiles, removeOtherLogFiles: true },
    mode
  })
  let file = stream.file
  let pending: ((error: Error | null) => void) | undefined
  /** Whether the stream has a chunk that is not written, and whether it was told of as failed. */
  let holds = false
  let told = false

  function settle (error: Error | null): void {
    const done = pending
    pending = undefined
    if (error !== null && done !== undefined) told = true
    done?.(error)
  }

  // Every error of the stream ends here, or it would end the process.
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.syscall === 'write') return settle(error)
    // What else fails, old files that cannot be listed or removed, is tried again with the next file.
    if (stream.file === file) return
    // A new file that cannot be opened leaves the old one in use: nothing is lost, and rolling is tried again.
    file = stream.file
    // sonic-boom's listener for the change that failed would close the descriptor a second time at the next one.
    stream.removeAllListeners('ready').on('ready', isChanged)
    settle(null)
  })
  // After it has changed files the stream says 'ready', then 'drain'.
  const isChanged = (): void => { file = stream.file }
  stream.on('ready', isChanged)
  stream.on('drain', () => {
    holds = false
    // pino-roll begins to change files in a listener of its own, after this one.
    queueMicrotask(() => { if (stream.file === file) settle(null) })
  })

  return {
    write (chunk, done) {
      const again = told
      told = false
      if (again && !holds) return done(null, chunk.length)
      pending = error => done(error, error === null ? chunk.length : 0)
      holds = true
      // The stream still has a chunk that failed: an empty write makes it try again.
      stream.write(again ? '' : chunk.toString())
    },
    writeSync: chunk => writeSync(stream.fd, chunk)
  }
}

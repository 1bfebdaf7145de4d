import { write, writeSync } from 'node:fs'

export interface LineWriterOptions {
  /** Bytes that may wait for a slow reader; lines beyond are dropped. */
  maxBufferBytes: number
  /** Told how many lines were dropped, once there is room again. */
  onDropped: (lines: number) => void
  /** Told once when lines cannot be written; they are kept, up to `maxBufferBytes`, and tried again. */
  onFailed?: (error: unknown) => void
}

/** Where a writer's bytes go, one chunk at a time. */
export interface ChunkSink {
  /** Calls back with the bytes that were taken; after an error the same chunk is given again. */
  write(chunk: Buffer, done: (error: Error | null, written: number) => void): void
  /** Writes what it can at once, for the exit of the process. */
  writeSync(chunk: Buffer): number
}

/** A destination for log lines. */
export interface LineWriter {
  write(line: string): void
  /** Calls back once every line is written, or cannot be. */
  flush(done: () => void): void
}

/** PIPE_BUF of Linux: a write up to it is atomic, so lines of processes that share a pipe do not mix. */
const maxChunkBytes = 4096
const retryMs = 20
const brokenRetryMs = 1000
const exitPatienceMs = 2000

const codeOf = (error: unknown): unknown => error instanceof Error && 'code' in error ? error.code : undefined
const isBusy = (error: unknown): boolean => codeOf(error) === 'EAGAIN' || codeOf(error) === 'EBUSY'

/** A sink that writes to a file descriptor. */
export function createDescriptorSink (fd: number): ChunkSink {
  return {
    write (chunk, done) { write(fd, chunk, done) },
    writeSync: chunk => writeSync(fd, chunk)
  }
}

/**
 * Writes lines to a sink without ever blocking the event loop, and what is left when the process exits.
 * pino's own asynchronous destination (sonic-boom 5) is not used: it loses what waits behind EAGAIN at an exit, and
 * never exits when the pipe is closed or the disk is full.
 */
export function createLineWriter (sink: ChunkSink, { maxBufferBytes, onDropped, onFailed }: LineWriterOptions): LineWriter {
  const chunks: Array<{ text: string, bytes: number }> = []
  let current = Buffer.alloc(0)
  let bufferedBytes = 0
  let dropped = 0
  let busy = false
  let inFlight = false
  let nonBlocking = false
  let exiting = false
  let listening = false
  let failed = false
  let waiters: Array<() => void> = []

  function settle (): void {
    const settled = waiters
    waiters = []
    for (const done of settled) done()
  }

  function idle (): void {
    busy = false
    settle()
    if (dropped === 0) return
    const lines = dropped
    dropped = 0
    onDropped(lines)
  }

  function next (): boolean {
    if (current.length === 0) current = Buffer.from(chunks.shift()?.text ?? '')
    return current.length > 0
  }

  function accept (bytes: number): void {
    current = current.subarray(bytes)
    bufferedBytes -= bytes
    failed = false
  }

  function retry (error: unknown): void {
    if (isBusy(error)) {
      // Such a descriptor never blocks, so it is written in place from now on: no write is in the air at an exit.
      nonBlocking = true
      setTimeout(advance, retryMs)
      return
    }
    // Nobody reads any more, or the disk is full: what waits stays bounded, and neither may keep the process alive.
    settle()
    if (!failed) {
      failed = true
      onFailed?.(error)
    }
    setTimeout(advance, brokenRetryMs).unref()
  }

  function advance (): void {
    busy = true
    while (next()) {
      if (!nonBlocking) {
        inFlight = true
        sink.write(current, (error, written) => {
          inFlight = false
          if (error !== null) return retry(error)
          accept(written)
          advance()
        })
        return
      }
      try {
        accept(sink.writeSync(current))
      } catch (error) {
        return retry(error)
      }
    }
    idle()
  }

  function writeRest (): void {
    exiting = true
    // The thread pool finishes what it has begun before the process ends.
    if (inFlight) current = Buffer.alloc(0)
    inFlight = false
    const deadline = Date.now() + exitPatienceMs
    const sleeper = new Int32Array(new SharedArrayBuffer(4))
    while (next()) {
      try {
        accept(sink.writeSync(current))
      } catch (error) {
        if (!isBusy(error) || Date.now() > deadline) return
        Atomics.wait(sleeper, 0, 0, retryMs)
      }
    }
  }

  return {
    write (line) {
      const bytes = Buffer.byteLength(line)
      if (bufferedBytes + bytes > maxBufferBytes) {
        dropped++
        return
      }
      bufferedBytes += bytes
      const last = chunks.at(-1)
      if (last !== undefined && last.bytes + bytes <= maxChunkBytes) {
        last.text += line
        last.bytes += bytes
      } else {
        chunks.push({ text: line, bytes })
      }
      if (!listening) {
        listening = true
        process.on('exit', writeRest)
      }
      if (exiting) writeRest()
      else if (!busy) {
        // The lines of one turn of the event loop go out together: each write costs as much as making several lines.
        busy = true
        setImmediate(advance)
      }
    },
    flush (done) {
      if (!busy || failed) return done()
      waiters.push(done)
    }
  }
}

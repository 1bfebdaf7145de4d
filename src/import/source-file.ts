import { createHash, randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { access, constants, open, rm, stat, writeFile, type FileHandle } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { codeOf } from '../code-of.ts'
import { ImportError, type OpenSource } from './record.ts'

/** A file that can be read several times. */
export interface SourceFile {
  open: OpenSource
  /** Makes sure that it can be read. Throws ImportError where it cannot. */
  prepare(): Promise<void>
  /** Lets go of what was kept of it. */
  close(): Promise<void>
}

/** A file by its path. */
export function openSourceFile (path: string): SourceFile {
  async function prepare (): Promise<void> {
    try {
      if ((await stat(path)).isDirectory()) throw new ImportError(`${path} is a directory.`)
      await access(path, constants.R_OK)
    } catch (error) {
      if (error instanceof ImportError) throw error
      throw new ImportError(`${path} cannot be read (${codeOf(error)}).`)
    }
  }
  return { open: () => createReadStream(path), prepare, close: async () => {} }
}

const chunkBytes = 64 * 1024

/** A file from its beginning on. A stream of Node.js would close it. */
async function * chunksOf (file: FileHandle): AsyncGenerator<Buffer> {
  for (let position = 0; ;) {
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(chunkBytes), 0, chunkBytes, position)
    if (bytesRead === 0) return
    position += bytesRead
    yield buffer.subarray(0, bytesRead)
  }
}

/**
 * What is piped in, kept in a private temporary file: it is read more than once. The file has no name, so that it is gone
 * with this process, whatever ends it: it may hold the hashes of everybody.
 */
export function keepInput (input: NodeJS.ReadableStream): SourceFile {
  let kept: FileHandle | undefined
  async function prepare (): Promise<void> {
    const path = join(tmpdir(), `auth-serve-import-${randomUUID()}`)
    try {
      kept = await open(path, 'wx+', 0o600)
      await rm(path)
      await writeFile(kept, input)
    } catch (error) {
      throw new ImportError(`Standard input cannot be kept in ${tmpdir()} (${codeOf(error)}).`)
    }
  }
  const chunks = async function * (): AsyncGenerator<Buffer> {
    if (kept !== undefined) yield * chunksOf(kept)
  }
  return { open: () => Readable.from(chunks(), { objectMode: false }), prepare, close: async () => { await kept?.close() } }
}

/** SHA-256, in hex, of what is to be done and of the whole file. */
export async function fingerprintOf (open: OpenSource, meaning: unknown): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify(meaning)).update('\n')
  for await (const chunk of open()) hash.update(chunk)
  return hash.digest('hex')
}

import { createHash, randomUUID } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { access, constants, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { codeOf } from '../code-of.ts'
import { ImportError, type OpenSource } from './record.ts'

/** A file that can be read several times. */
export interface SourceFile {
  open: OpenSource
  /** Makes sure that it can be read. Throws ImportError where it cannot. */
  prepare(): Promise<void>
  /** Removes what was kept of it. */
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

/** What is piped in, kept in a private temporary file: it is read more than once. */
export function keepInput (input: NodeJS.ReadableStream): SourceFile {
  const path = join(tmpdir(), `auth-serve-import-${randomUUID()}`)
  async function prepare (): Promise<void> {
    try {
      await pipeline(input, createWriteStream(path, { mode: 0o600, flags: 'wx' }))
    } catch (error) {
      throw new ImportError(`Standard input cannot be kept in ${tmpdir()} (${codeOf(error)}).`)
    }
  }
  return { open: () => createReadStream(path), prepare, close: async () => { await rm(path, { force: true }) } }
}

/** SHA-256, in hex, of what is to be done and of the whole file. */
export async function fingerprintOf (open: OpenSource, meaning: unknown): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify(meaning)).update('\n')
  for await (const chunk of open()) hash.update(chunk)
  return hash.digest('hex')
}

import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { access, open, rename, rm } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createGzip } from 'node:zlib'
import { CommandError } from '../exit.ts'
import type { Input, Output } from '../surroundings.ts'

const codeOf = (error: unknown): string => error instanceof Error && 'code' in error ? String(error.code) : String(error)
const alreadyThere = (file: string): CommandError => new CommandError(`${file} exists already; --force replaces it.`)

/** Throws CommandError where the file is there and may not be replaced. */
export async function requireFree (file: string, { force }: { force: boolean }): Promise<void> {
  if (!force && await access(file, constants.F_OK).then(() => true, () => false)) throw alreadyThere(file)
}

/** What a file system says when it is full. */
const fullCodes = ['ENOSPC', 'EDQUOT', 'EFBIG', 'EIO']
const isFileError = (error: unknown): boolean => error instanceof Error && (fullCodes.includes(codeOf(error)) || 'path' in error)

/**
 * Writes a dump to a file that only its owner can read. It gets its name when it is whole: a crash leaves no half of one
 * there. Throws CommandError where the place is taken, or is none.
 */
export async function writeDumpFile (file: string, lines: AsyncIterable<Buffer>, { force }: { force: boolean }): Promise<void> {
  const draft = `${file}.${process.pid}.${randomBytes(6).toString('hex')}.part`
  try {
    const handle = await open(draft, 'wx', 0o600)
    // The stream closes the file, once all of it is on the disk.
    await pipeline(Readable.from(lines), createGzip(), handle.createWriteStream({ flush: true }))
    // Whoever took the name meanwhile keeps it.
    if (!force) await (await open(file, 'wx', 0o600)).close()
    await rename(draft, file)
  } catch (error) {
    if (codeOf(error) === 'EEXIST') throw alreadyThere(file)
    throw isFileError(error) ? new CommandError(`${file} cannot be written (${codeOf(error)}): choose another place.`) : error
  } finally {
    await rm(draft, { force: true })
  }
}

/** Writes a dump to standard output, which stays open. */
export async function writeDumpTo (output: Output, lines: AsyncIterable<Buffer>): Promise<void> {
  await pipeline(Readable.from(lines), createGzip(), output, { end: false })
}

/** What is in a file, or comes in, without its compression. Throws CommandError for a file that cannot be read. */
export async function openDump (file: string, stdin: Input): Promise<AsyncIterable<Buffer>> {
  const source = file === '-' ? stdin : await openFile(file)
  const gunzip = createGunzip()
  // What goes wrong is met by whoever reads the other end.
  pipeline(source, gunzip).catch(() => {})
  return gunzip
}

async function openFile (file: string): Promise<NodeJS.ReadableStream> {
  try {
    return (await open(file, 'r')).createReadStream()
  } catch (error) {
    throw new CommandError(`${file} cannot be read (${codeOf(error)}).`)
  }
}

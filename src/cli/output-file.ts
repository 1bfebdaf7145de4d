import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { access, open, rename, rm } from 'node:fs/promises'
import type { Writable } from 'node:stream'
import { codeOf } from '../code-of.ts'
import { CommandError, misuse } from './exit.ts'
import { tidyAfter } from './interruption.ts'

export interface OutputFileOptions {
  /** Replace what is there. */
  force: boolean
}

const alreadyThere = (file: string): CommandError => misuse(`${file} exists already; --force replaces it`)

/** Throws CommandError where the file is there and may not be replaced. */
export async function requireFree (file: string, { force }: OutputFileOptions): Promise<void> {
  if (!force && await access(file, constants.F_OK).then(() => true, () => false)) throw alreadyThere(file)
}

/** What a file system says when it is full. */
const fullCodes = ['ENOSPC', 'EDQUOT', 'EFBIG', 'EIO']
const isFileError = (error: unknown): boolean => error instanceof Error && (fullCodes.includes(codeOf(error)) || 'path' in error)

/**
 * Writes a file that only its owner can read: `produce` writes to the stream and ends it. The file gets its name when it is
 * whole: a crash leaves no half of one there, and a signal nothing at all. Throws CommandError where the place is taken, or is none.
 */
export async function writeOutputFile (file: string, produce: (file: Writable) => Promise<void>, { force }: OutputFileOptions): Promise<void> {
  const draft = `${file}.${process.pid}.${randomBytes(6).toString('hex')}.part`
  try {
    await tidyAfter(async () => { await rm(draft, { force: true }) }, async () => {
      const handle = await open(draft, 'wx', 0o600)
      // The stream closes the file, once all of it is on the disk.
      await produce(handle.createWriteStream({ flush: true }))
      // Whoever took the name meanwhile keeps it.
      if (!force) await (await open(file, 'wx', 0o600)).close()
      await rename(draft, file)
    })
  } catch (error) {
    if (codeOf(error) === 'EEXIST') throw alreadyThere(file)
    throw isFileError(error) ? new CommandError(`${file} cannot be written (${codeOf(error)}): choose another place.`) : error
  }
}

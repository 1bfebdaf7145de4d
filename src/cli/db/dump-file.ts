import { open, stat } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createGzip } from 'node:zlib'
import { codeOf } from '../../code-of.ts'
import { CommandError } from '../exit.ts'
import { writeOutputFile, type OutputFileOptions } from '../output-file.ts'
import type { Input, Output } from '../surroundings.ts'

/** Writes a dump to a file that only its owner can read. Throws what {@link writeOutputFile} throws. */
export async function writeDumpFile (file: string, lines: AsyncIterable<Buffer>, options: OutputFileOptions): Promise<void> {
  await writeOutputFile(file, async stream => { await pipeline(Readable.from(lines), createGzip(), stream) }, options)
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
    if ((await stat(file)).isDirectory()) throw new CommandError(`${file} is a directory.`)
    return (await open(file, 'r')).createReadStream()
  } catch (error) {
    if (error instanceof CommandError) throw error
    throw new CommandError(`${file} cannot be read (${codeOf(error)}).`)
  }
}

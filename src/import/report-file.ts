import { createReadStream } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { codeOf } from '../code-of.ts'
import type { Outcome } from './outcome.ts'
import { ImportError } from './record.ts'

/** A report of JSON lines, one for each record. */
export interface ReportFile {
  write (outcomes: readonly Outcome[]): Promise<void>
  close (): Promise<void>
}

/** Bytes that so many lines of a file take; undefined where it has fewer. */
async function bytesOfLines (path: string, lines: number): Promise<number | undefined> {
  if (lines === 0) return 0
  let [bytes, found] = [0, 0]
  for await (const chunk of createReadStream(path)) {
    const part: Buffer = chunk
    for (let end = part.indexOf(10); end !== -1; end = part.indexOf(10, end + 1)) if (++found === lines) return bytes + end + 1
    bytes += part.length
  }
  return undefined
}

async function openNew (path: string): Promise<FileHandle> {
  try {
    return await open(path, 'wx', 0o600)
  } catch (error) {
    throw new ImportError(codeOf(error) === 'EEXIST' ? `The report ${path} exists already: name another file, or remove it.` : `The report ${path} cannot be written (${codeOf(error)}).`)
  }
}

/** Goes on after the lines of the records that were stored; later ones are of a batch that was not. */
async function openAgain (path: string, lines: number): Promise<FileHandle> {
  let file: FileHandle
  try {
    file = await open(path, 'r+', 0o600)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return await openNew(path)
    throw new ImportError(`The report ${path} cannot be written (${codeOf(error)}).`)
  }
  const bytes = await bytesOfLines(path, lines)
  if (bytes === undefined) {
    await file.close()
    throw new ImportError(`The report ${path} is not of the ${lines} records that were imported before: name that of the first run, or another file.`)
  }
  await file.truncate(bytes)
  return file
}

/** Opens a report for what comes after so many records. Throws ImportError where it may not, or cannot, be written. */
export async function openReportFile (path: string, records: number): Promise<ReportFile> {
  const file = records === 0 ? await openNew(path) : await openAgain(path, records)
  let end = (await file.stat()).size
  return {
    async write (outcomes) {
      const text = Buffer.from(outcomes.map(outcome => `${JSON.stringify(outcome)}\n`).join(''))
      try {
        await file.write(text, 0, text.length, end)
        await file.datasync()
      } catch (error) {
        throw new ImportError(`The report ${path} cannot be written (${codeOf(error)}).`)
      }
      end += text.length
    },
    close: async () => { await file.close() }
  }
}

import { open } from 'node:fs/promises'
import { readText, UnusableAnswerError } from '../read-text.ts'

/** Where ranges of breached passwords come from. `signal` ends the reading. */
export type ReadRange = (prefix: string, signal: AbortSignal) => Promise<string>

/** Nobody else needs to know which range it was. */
const noSuchRange = 'the folder lacks a range'

/** A range API (https://haveibeenpwned.com/API/v3#PwnedPasswords): GET `<url>/<PREFIX>`. */
function createApiReader (url: URL, maxBytes: number): ReadRange {
  return async (prefix, signal) => {
    const response = await fetch(new URL(prefix, url), {
      signal,
      redirect: 'error',
      // Padding hides from who sees sizes which range it was. A kept connection that went stale would be an outage.
      headers: { accept: 'text/plain', 'add-padding': 'true', connection: 'close', 'user-agent': 'auth-serve' }
    })
    if (response.status !== 200) throw new UnusableAnswerError(`the answer has status ${response.status}`)
    return await readText(response, maxBytes)
  }
}

const isAbsent = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'ENOENT'

async function readFile (file: URL, maxBytes: number, signal: AbortSignal): Promise<string | undefined> {
  let handle
  try {
    handle = await open(file)
  } catch (error) {
    if (isAbsent(error)) return undefined
    throw error
  }
  try {
    const { size } = await handle.stat()
    if (size > maxBytes) throw new UnusableAnswerError(`the range is larger than ${maxBytes} bytes`)
    return await handle.readFile({ encoding: 'utf8', signal })
  } finally {
    await handle.close()
  }
}

/** A folder of downloaded ranges, in files `<PREFIX>.txt` or `<PREFIX>`. */
function createFolderReader (folder: URL, maxBytes: number): ReadRange {
  return async (prefix, signal) => {
    const range = await readFile(new URL(`${prefix}.txt`, folder), maxBytes, signal) ?? await readFile(new URL(prefix, folder), maxBytes, signal)
    if (range === undefined) throw new UnusableAnswerError(noSuchRange)
    return range
  }
}

/** Reads ranges of `http:`, `https:` and `file:` URLs, each up to `maxBytes`. @throws TypeError for what is no URL. */
export function createRangeReader (url: string, maxBytes: number): ReadRange {
  const base = new URL(url.endsWith('/') ? url : `${url}/`)
  return base.protocol === 'file:' ? createFolderReader(base, maxBytes) : createApiReader(base, maxBytes)
}

const line = /^([0-9A-F]{35}):(\d{1,15})$/

/**
 * The suffixes of a range, each between two line ends: as one text they take a tenth of what a set of them would. Entries
 * that were found in no breach are padding, and left out. Throws UnusableAnswerError for what is no range.
 */
export function parseRange (range: string): string {
  const suffixes = range.trim().split(/\r?\n/).flatMap(text => {
    const [, suffix, count] = line.exec(text.toUpperCase()) ?? []
    if (suffix === undefined) throw new UnusableAnswerError('the answer is no range of hashes')
    return Number(count) > 0 ? [suffix] : []
  })
  return `\n${suffixes.join('\n')}\n`
}

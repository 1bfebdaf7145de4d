import { createHash } from 'node:crypto'
import { batchBytes, damaged, endOfTable, readHeader, readTrailer, type DumpHeader, type DumpTrailer } from './format.ts'

/** Bytes of the longest line that is taken; the longest row that the service makes is far shorter. */
const maxLineBytes = 64 * 1024 * 1024

/** Reads a dump from its beginning to its end. Everything throws DumpError where it is damaged. */
export interface DumpReader {
  header(): Promise<DumpHeader>
  /** The lines of the next table, in batches. Counts them under this name. */
  rows(table: string): AsyncGenerator<Buffer>
  /** Holds what was read against the trailer, behind which nothing may follow. Answers the rows of each table. */
  finish(): Promise<DumpTrailer['rows']>
  /** Lets go of the source. */
  close(): Promise<void>
}

/** What gunzip says of a file that is none, or not whole. */
const isGzipError = (error: unknown): boolean => error instanceof Error && 'code' in error && String(error.code).startsWith('Z_')

async function * linesOf (source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield * splitLines(source)
  } catch (error) {
    throw isGzipError(error) ? damaged(error) : error
  }
}

/** Splits into lines, each with its end. */
async function * splitLines (source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let [begun, bytes] = [new Array<Buffer>(), 0]
  for await (const chunk of source) {
    let from = 0
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, from)) {
      const line = chunk.subarray(from, end + 1)
      yield begun.length === 0 ? line : Buffer.concat([...begun, line])
      if (begun.length > 0) [begun, bytes] = [[], 0]
      from = end + 1
    }
    if (from === chunk.length) continue
    begun.push(chunk.subarray(from))
    bytes += chunk.length - from
    if (bytes > maxLineBytes) throw damaged()
  }
  if (begun.length > 0) throw damaged()
}

/** `source` is the dump, not compressed. */
export function createDumpReader (source: AsyncIterable<Buffer>, onProgress: (rows: number) => void): DumpReader {
  const lines = linesOf(source)
  const hash = createHash('sha256')
  const counted: DumpTrailer['rows'] = {}
  let total = 0

  async function next (): Promise<Buffer> {
    const { value } = await lines.next()
    if (!Buffer.isBuffer(value)) throw damaged()
    return value
  }

  async function nextHashed (): Promise<Buffer> {
    const line = await next()
    hash.update(line)
    return line
  }

  return {
    header: async () => readHeader(await nextHashed()),
    async * rows (table) {
      let [batch, bytes, count] = [new Array<Buffer>(), 0, 0]
      for (let line = await nextHashed(); !line.equals(endOfTable); line = await nextHashed()) {
        count++
        batch.push(line)
        bytes += line.length
        if (bytes < batchBytes) continue
        onProgress(total + count)
        yield Buffer.concat(batch);
        [batch, bytes] = [[], 0]
      }
      if (bytes > 0) yield Buffer.concat(batch)
      counted[table] = count
      total += count
    },
    async finish () {
      const { rows, sha256 } = readTrailer(await next())
      const asCounted = Object.keys(rows).length === Object.keys(counted).length && Object.entries(counted).every(([table, count]) => rows[table] === count)
      if (!asCounted || sha256 !== hash.digest('hex') || (await lines.next()).done !== true) throw damaged()
      return rows
    },
    close: async () => { await lines.return(undefined) }
  }
}

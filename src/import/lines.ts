import { isRaw, type Raw } from './fields.ts'
import type { OpenSource, Refusal } from './record.ts'

/** Bytes of a record at most; none of a person comes near it. */
export const longestRecord = 1024 * 1024

/** A record as it stands in the file, or why it cannot be read. */
export type RawReading = { row: number, raw: Raw } | { row: number, refusal: Refusal }

const refused = (row: number, reason: string): RawReading => ({ row, refusal: { field: 'line', reason } })
const decoder = new TextDecoder('utf-8', { fatal: true })

/** The lines of a file, without their ends; undefined stands for one that is too long to be kept. */
async function * linesOf (open: OpenSource): AsyncGenerator<Buffer | undefined> {
  let parts: Buffer[] = []
  let length = 0
  const take = (part: Buffer): void => {
    length += part.length
    if (length <= longestRecord) parts.push(part)
  }
  const flush = (): Buffer | undefined => {
    const line = length <= longestRecord ? Buffer.concat(parts) : undefined
    parts = []
    length = 0
    return line
  }
  for await (const chunk of open()) {
    let start = 0
    for (let end = chunk.indexOf(10, start); end !== -1; end = chunk.indexOf(10, start)) {
      take(chunk.subarray(start, end))
      yield flush()
      start = end + 1
    }
    take(chunk.subarray(start))
  }
  if (length > 0) yield flush()
}

/** The objects of a file of JSON lines; blank lines are passed over. */
export async function * jsonLines (open: OpenSource): AsyncGenerator<RawReading> {
  let row = 0
  for await (const line of linesOf(open)) {
    row++
    if (line?.toString('latin1').trim() === '') continue
    yield line === undefined ? refused(row, `is longer than ${longestRecord} bytes`) : readLine(row, line)
  }
}

function readLine (row: number, line: Buffer): RawReading {
  let raw: unknown
  try {
    raw = JSON.parse(decoder.decode(line))
  } catch (error) {
    return refused(row, error instanceof SyntaxError ? 'is not JSON, or cut off' : 'is not UTF-8')
  }
  return isRaw(raw) ? { row, raw } : refused(row, 'is not a JSON object')
}

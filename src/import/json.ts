import { pipeline } from 'node:stream'
import { parser } from 'stream-json/parser.js'
import { pick } from 'stream-json/filters/pick.js'
import { streamValues } from 'stream-json/streamers/stream-values.js'
import { isRaw } from './fields.ts'
import type { RawReading } from './lines.ts'
import { ImportError, type OpenSource } from './record.ts'
import { utf8 } from './utf8.ts'

/**
 * The objects of a JSON document whose path (keys and indexes with dots in between) matches, one at a time. Throws
 * ImportError where the document is malformed or cut off.
 */
export async function * jsonRecords (open: OpenSource, path: RegExp): AsyncGenerator<RawReading> {
  let row = 0
  const records = pipeline(
    open(), utf8(), parser.asStream({ packValues: true, streamValues: false }), pick.asStream({ filter: path }), streamValues.asStream(),
    // What fails reaches whoever iterates.
    () => {}
  )
  try {
    for await (const { value } of records) {
      row++
      yield isRaw(value) ? { row, raw: value } : { row, refusal: { field: 'record', reason: 'is not a JSON object' } }
    }
  } catch (error) {
    if (!(error instanceof Error)) throw error
    throw new ImportError(`The file is not JSON, or cut off, somewhere after record ${row}: ${error.message}.`)
  }
}

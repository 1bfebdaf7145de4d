import { pipeline, Transform } from 'node:stream'
import { parser } from 'stream-json/parser.js'
import { pick } from 'stream-json/filters/pick.js'
import { streamValues } from 'stream-json/streamers/stream-values.js'
import { isRaw } from './fields.ts'
import type { RawReading } from './lines.ts'
import { ImportError, type OpenSource } from './record.ts'

/** Refuses what is not UTF-8, which would be taken for other letters. */
function utf8 (): Transform {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  const decode = (done: (error: Error | null, text?: string) => void, chunk?: Buffer): void => {
    try {
      done(null, decoder.decode(chunk, { stream: chunk !== undefined }))
    } catch {
      done(new Error('it is not UTF-8'))
    }
  }
  return new Transform({
    decodeStrings: false,
    readableObjectMode: true,
    transform: (chunk: Buffer, _encoding, done) => { decode(done, chunk) },
    flush: done => { decode(done) }
  })
}

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

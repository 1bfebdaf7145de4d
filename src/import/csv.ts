import { pipeline } from 'node:stream'
import { CsvError, parse } from 'csv-parse'
import { isRaw } from './fields.ts'
import { longestRecord, type RawReading } from './lines.ts'
import { ImportError, type OpenSource } from './record.ts'
import { NotUtf8, utf8 } from './utf8.ts'

export interface CsvOptions {
  /** What the columns are called: judges the header of the file, or names those of a file without one. */
  columns: readonly string[] | ((header: readonly string[]) => readonly string[])
  /** Take quotes inside of quoted fields for letters, and rows of any length. */
  loose?: boolean
}

/**
 * The rows of a CSV file (RFC 4180, UTF-8) by the names of their columns. Throws ImportError where the file as a whole
 * cannot be read.
 */
export async function * csvRecords (open: OpenSource, { columns, loose = false }: CsvOptions): AsyncGenerator<RawReading> {
  let lines = 0
  const parser = parse({
    bom: true,
    info: true,
    columns: typeof columns === 'function' ? (header: string[]) => [...requireDistinct(columns(header.map(name => name.trim())))] : [...columns],
    max_record_size: longestRecord,
    relax_column_count: true,
    relax_quotes: loose,
    skip_empty_lines: true
  })
  try {
    for await (const item of pipeline(open(), utf8(), parser, () => {})) {
      const { record, info } = item
      lines = info.lines
      if (info.error !== undefined && !loose) yield { row: lines, refusal: { field: 'line', reason: 'has another number of fields than the header' } }
      else if (isRaw(record)) yield { row: lines, raw: record }
    }
  } catch (error) {
    if (error instanceof CsvError) throw new ImportError(`The file is not CSV after line ${lines}: ${error.code === 'CSV_QUOTE_NOT_CLOSED' ? 'a quote is not closed, or it is cut off' : error.message}.`)
    if (error instanceof NotUtf8) throw new ImportError(`The file is not UTF-8, somewhere after line ${lines}: save it in that encoding.`)
    throw error
  }
}

/** Of two columns with one name one would be lost. */
function requireDistinct (header: readonly string[]): readonly string[] {
  const repeated = header.findIndex((name, index) => name !== '' && header.indexOf(name) < index)
  if (repeated !== -1) throw new ImportError(`Columns ${header.indexOf(header[repeated] ?? '') + 1} and ${repeated + 1} of the file have the same name.`)
  return header
}

import type { Raw } from './fields.ts'
import type { RawReading } from './lines.ts'
import { PassedOver, RowRefusal, type Reading, type SourcePerson } from './record.ts'

/** How the records of a format say who somebody is. Both may throw RowRefusal, and `person` PassedOver. */
export interface PersonMapping {
  id: (raw: Raw) => string | undefined
  person: (raw: Raw) => SourcePerson
}

/** Makes people of records, or says why there is none. */
export async function * readPeople (records: AsyncIterable<RawReading>, mapping: PersonMapping): AsyncGenerator<Reading> {
  for await (const record of records) yield 'raw' in record ? readPerson(record, mapping) : record
}

function readPerson ({ row, raw }: { row: number, raw: Raw }, { id, person }: PersonMapping): Reading {
  let sourceId: string | undefined
  try {
    sourceId = id(raw)
    return { row, sourceId, person: person(raw) }
  } catch (error) {
    if (error instanceof PassedOver) return { row, sourceId, passedOver: error.message }
    if (error instanceof RowRefusal) return { row, sourceId, refusal: { field: error.field, reason: error.message } }
    throw error
  }
}

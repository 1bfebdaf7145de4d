import type { JudgePerson } from './judge-person.ts'
import { judgeReading, type Judged } from './outcome.ts'
import type { Reading } from './record.ts'

/** Records of a transaction. */
export const batchSize = 500

/** Judged records in batches, from after so many. */
export async function * judgedBatches (readings: AsyncIterable<Reading>, judge: JudgePerson, from: number, size = batchSize): AsyncGenerator<Judged[]> {
  let batch: Judged[] = []
  let position = 0
  for await (const reading of readings) {
    if (position++ < from) continue
    batch.push(judgeReading(reading, judge))
    if (batch.length < size) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}

import type { Database } from '../db/stores.ts'
import { judgedBatches } from './batches.ts'
import { countOutcomes, noCounts, type Counts } from './counts.ts'
import { createDigestSet } from './digest-set.ts'
import type { JudgePerson } from './judge-person.ts'
import { decide, namesOf, type DuplicatePolicy, type Outcome } from './outcome.ts'
import type { Reading } from './record.ts'

export interface CheckDependencies {
  database: Database
  read: () => AsyncIterable<Reading>
  judge: JudgePerson
  duplicates: DuplicatePolicy
  /** Told of what would become of each record, in their order. */
  onOutcomes: (outcomes: readonly Outcome[]) => Promise<void>
  onProgress: (records: number) => void
}

/** Reads a file to its end and judges every record, also against the database and those before it; writes nothing. */
export async function checkPeople ({ database, read, judge, duplicates, onOutcomes, onProgress }: CheckDependencies): Promise<Counts> {
  const digests = createDigestSet()
  let counts = noCounts
  for await (const batch of judgedBatches(read(), judge, 0)) {
    const inUse = await database.userImport.findInUse(namesOf(batch))
    const outcomes = decide(batch, inUse, digests, duplicates, () => null).map(({ outcome }) => outcome)
    counts = countOutcomes(counts, outcomes)
    await onOutcomes(outcomes)
    onProgress(counts.position)
  }
  return counts
}

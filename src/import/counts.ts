import type { ImportCounts } from '../db/user-import.ts'
import type { Outcome } from './outcome.ts'

/** How many records were dealt with, and how. */
export type Counts = ImportCounts

export const noCounts: Counts = { position: 0, created: 0, skipped: 0, refused: 0 }

/** The counts after these, too. */
export function countOutcomes (counts: Counts, outcomes: readonly Outcome[]): Counts {
  const of = (kind: Outcome['outcome']) => outcomes.filter(({ outcome }) => outcome === kind).length
  return {
    position: counts.position + outcomes.length,
    created: counts.created + of('created'),
    skipped: counts.skipped + of('skipped'),
    refused: counts.refused + of('refused')
  }
}

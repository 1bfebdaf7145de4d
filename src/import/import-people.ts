import { v7 as uuidv7 } from 'uuid'
import type { Audit, RequestContext } from '../audit/audit.ts'
import type { ImportedUser } from '../db/user-import.ts'
import { judgedBatches } from './batches.ts'
import { countOutcomes, type Counts } from './counts.ts'
import type { AcceptedPerson, JudgePerson } from './judge-person.ts'
import { decide, namesOf, type Decided, type DuplicatePolicy, type Judged, type Outcome } from './outcome.ts'
import { ImportError, type Reading } from './record.ts'

export interface ImportDependencies {
  audit: Audit
  context: RequestContext
  /** Of the file and of what is to be done with it. */
  fingerprint: string
  read: () => AsyncIterable<Reading>
  judge: JudgePerson
  duplicates: DuplicatePolicy
  /** Go on where a record is refused. */
  skipInvalid: boolean
  /** Told of each batch before it is committed, so that no report lacks what is stored. */
  onOutcomes: (outcomes: readonly Outcome[]) => Promise<void>
  onProgress: (records: number) => void
}

function rowOf (id: string, { emailVerified, createdAt, updatedAt, lastLoginAt, ...person }: AcceptedPerson): ImportedUser {
  const verifiedAt = emailVerified === true ? new Date() : emailVerified
  return {
    ...person,
    id,
    createdAt: createdAt ?? null,
    updatedAt: updatedAt ?? createdAt ?? null,
    lastLoginAt: lastLoginAt ?? null,
    emailVerifiedAt: verifiedAt === false ? null : verifiedAt
  }
}

/** A new person whose names somebody else took between the look and the insertion. */
const overtaken = ({ outcome }: Decided, duplicates: DuplicatePolicy): Outcome =>
  ({ ...outcome, outcome: duplicates === 'fail' ? 'refused' : 'skipped', id: null, reason: 'e-mail or username was taken at this moment' })

/**
 * Stores the people of a file from where it stopped: each batch, its events and the position after it in one transaction,
 * so that nobody comes twice and nobody is lost, whenever it is cut off. Throws ImportError where the same
 * import runs elsewhere, and for a refused record unless those are skipped: the check before found none.
 */
export async function importPeople (dependencies: ImportDependencies, begun: Counts): Promise<Counts> {
  const { read, judge, onProgress } = dependencies
  let counts = begun
  for await (const batch of judgedBatches(read(), judge, begun.position)) {
    counts = await storeBatch(dependencies, batch, counts)
    onProgress(counts.position)
  }
  return counts
}

async function storeBatch ({ audit, context, fingerprint, duplicates, skipInvalid, onOutcomes }: ImportDependencies, batch: readonly Judged[], before: Counts): Promise<Counts> {
  return await audit.transaction(context, async (stores, record) => {
    const inUse = await stores.userImport.findInUse(namesOf(batch))
    const decided = decide(batch, inUse, new Set<string>(), duplicates, uuidv7)
    const people = decided.flatMap(({ outcome: { id }, person }) => id !== null && person !== undefined ? [rowOf(id, person)] : [])
    const inserted = people.length > 0 ? await stores.userImport.insert(people) : new Set<string | null>()
    const outcomes = decided.map(one => one.outcome.outcome === 'created' && !inserted.has(one.outcome.id) ? overtaken(one, duplicates) : one.outcome)
    const refused = skipInvalid ? undefined : outcomes.find(({ outcome }) => outcome === 'refused')
    if (refused !== undefined) throw new ImportError(`Row ${refused.row} is refused, and was not when the file was checked (${refused.field}: ${refused.reason}). The records before its batch are imported.`)
    const counts = countOutcomes(before, outcomes)
    for (const { id, row } of outcomes) {
      if (id !== null) record({ type: 'user_created', outcome: 'success', targetId: id, details: { reason: 'import', import: fingerprint.slice(0, 16), row } })
    }
    // Last, since others wait for it: those who import the same file at the same time.
    if (!await stores.userImport.advance(fingerprint, before.position, counts)) throw new ImportError('The same import is running elsewhere.')
    await onOutcomes(outcomes)
    return counts
  })
}

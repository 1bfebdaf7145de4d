import type { NamesInUse } from '../db/user-import.ts'
import { RowRefusal, type Reading } from './record.ts'
import type { AcceptedPerson, JudgePerson } from './judge-person.ts'

/** What became of a record, as the report tells it; in a dry run, what would. */
export interface Outcome {
  row: number
  sourceId: string | null
  outcome: 'created' | 'skipped' | 'refused'
  /** The id here; null also where a dry run cannot know it yet. */
  id: string | null
  /** Which field is refused. */
  field: string | null
  reason: string | null
}

/** A record that is judged by itself. `id` is that of the source, where it is a UUID. */
export type Judged = { row: number, sourceId: string | null } & ({ person: AcceptedPerson, id: string | undefined } | { outcome: Outcome })

/** A record that is compared with everybody who is there. */
export interface Decided { outcome: Outcome, person?: AcceptedPerson }

/** Names and ids of those who come with the same import. */
export interface Seen { has(name: string): boolean, add(name: string): unknown }

/** What is done with a person whose e-mail is in use. Whose username alone is in use is somebody else, and refused. */
export type DuplicatePolicy = 'skip' | 'fail'

// Nil and Max (RFC 9562, 5.9 and 5.10) are nobody's.
const uuid = /^(?!0{8}-0{4}-0{4}-0{4}-0{12}$)(?!f{8}-f{4}-f{4}-f{4}-f{12}$)[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** Judges a record by itself. */
export function judgeReading (reading: Reading, judge: JudgePerson): Judged {
  const about = { row: reading.row, sourceId: reading.sourceId?.slice(0, 200) ?? null }
  const over = (outcome: 'skipped' | 'refused', field: string | null, reason: string): Judged => ({ ...about, outcome: { ...about, outcome, id: null, field, reason } })
  if ('passedOver' in reading) return over('skipped', null, reading.passedOver)
  if ('refusal' in reading) return over('refused', reading.refusal.field, reading.refusal.reason)
  try {
    const id = reading.sourceId?.toLowerCase()
    return { ...about, person: judge(reading.person), id: id !== undefined && uuid.test(id) ? id : undefined }
  } catch (error) {
    if (error instanceof RowRefusal) return over('refused', error.field, error.message)
    throw error
  }
}

/** The names and ids of judged records, to ask the database which are in use. */
export function namesOf (judged: readonly Judged[]): { emails: string[], usernames: string[], ids: string[] } {
  const people = judged.flatMap(record => 'person' in record ? [record] : [])
  return {
    emails: people.map(({ person }) => person.emailCanonical),
    usernames: people.flatMap(({ person }) => person.usernameCanonical ?? []),
    ids: people.flatMap(({ id }) => id ?? [])
  }
}

/** Compares judged records, in their order, with who is there and with those before them. */
export function decide (judged: readonly Judged[], inUse: NamesInUse, seen: Seen, duplicates: DuplicatePolicy, newId: () => string | null): Decided[] {
  return judged.map(record => {
    if ('outcome' in record) return { outcome: record.outcome }
    const { row, sourceId, person } = record
    const [email, username] = [`email ${person.emailCanonical}`, `username ${person.usernameCanonical}`]
    const usernameTaken = person.usernameCanonical !== null && (inUse.usernames.has(person.usernameCanonical) || seen.has(username))
    const taken = inUse.emails.has(person.emailCanonical) || seen.has(email) ? 'email' : usernameTaken ? 'username' : undefined
    if (taken !== undefined) {
      const inFile = seen.has(taken === 'email' ? email : username)
      const whose = inFile ? 'is that of an earlier record of the file, too' : 'is in use already'
      const reason = taken === 'email' ? whose : `${whose}, by somebody with another address; --no-usernames imports people without`
      return { outcome: { row, sourceId, outcome: duplicates === 'fail' || taken === 'username' ? 'refused' : 'skipped', id: null, field: taken, reason } }
    }
    const free = record.id !== undefined && !inUse.ids.has(record.id) && !seen.has(`id ${record.id}`)
    const id = free && record.id !== undefined ? record.id : newId()
    seen.add(email)
    if (person.usernameCanonical !== null) seen.add(username)
    if (id !== null) seen.add(`id ${id}`)
    return { outcome: { row, sourceId, outcome: 'created', id, field: null, reason: null }, person }
  })
}

import type { Acceptance, ForeignBounds } from '../passwords/foreign/index.ts'

/** A person as any source describes them, before it is judged whether we take them so. */
export interface SourcePerson {
  email: string
  /** The moment, where the source tells it. */
  emailVerified: boolean | Date
  username?: string
  firstName?: string
  lastName?: string
  /** In the words of the source. */
  roles: readonly string[]
  isActive: boolean
  createdAt?: Date
  updatedAt?: Date
  lastLoginAt?: Date
  /** Absent where the person has none, such as who signs in elsewhere. */
  password?: Acceptance
}

/** Why a record is not taken: which field, and what is wrong with it, without the value. */
export interface Refusal { field: string, reason: string }

/** What a reader makes of one record of a file. `row` is its line in files of lines, and otherwise its number, from 1. */
export type Reading = { row: number, sourceId?: string } & (
  { person: SourcePerson } |
  { refusal: Refusal } |
  // No person who could sign in, such as a service account: nothing is wrong with it.
  { passedOver: string }
)

/** Reads the records of a file of one format, in constant memory. */
export type Reader = (open: OpenSource, options: ReaderOptions) => AsyncIterable<Reading>

/** Opens the file from its beginning; it can be read several times. */
export type OpenSource = () => NodeJS.ReadableStream & AsyncIterable<Buffer>

export interface ReaderOptions {
  /** The text of the project's password hash parameters, which Firebase needs. */
  hashParameters?: string
  /** What hashes of our own format may cost, where that is not what those of other systems may. */
  hashBounds?: ForeignBounds
}

/** A record is not taken. */
export class RowRefusal extends Error {
  readonly field: string

  constructor (field: string, reason: string) {
    super(reason)
    this.name = 'RowRefusal'
    this.field = field
  }
}

/** A record describes nobody who could sign in. */
export class PassedOver extends Error {}

/** An import cannot be done, or not gone on with: the message says why to whoever started it. */
export class ImportError extends Error {}

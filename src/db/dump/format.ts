import { Type, type Static } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'

/*
 * A dump is gzip of lines: a header in JSON; the rows of each table in the text format of COPY, which has one line per
 * row, each table ended by `\.`; a trailer in JSON. docs/decisions/018-dump-format.md has the reasons.
 */

/** Why a database was not dumped or restored, and what to do, for whoever asked. */
export class DumpError extends Error {
  constructor (message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'DumpError'
  }
}

/** The format that this release writes, and the only one that it reads. */
export const formatVersion = 1

const name = Type.String({ pattern: '^[a-z][a-z0-9_]{0,62}$' })

/** A moment of UTC, as PostgreSQL writes it. */
const moment = Type.String({ pattern: '^\\d{4}-\\d\\d-\\d\\d[ T]\\d\\d:\\d\\d:\\d\\d(\\.\\d{1,6})?(Z|\\+00)$' })

/** Years that a trail may span: each month of them becomes a table. */
const maxYears = 100

const HeaderSchema = Type.Object({
  format: Type.Literal('auth-serve dump'),
  version: Type.Literal(formatVersion),
  /** Release that wrote it, for people. */
  release: Type.String({ pattern: '^[\\w.+-]{1,100}$' }),
  createdAt: Type.String({ maxLength: 40 }),
  /** Public id of the AUTH_SECRET under which values in it are sealed. */
  secretId: Type.String({ maxLength: 100 }),
  /** The schema of the rows: what had been applied, oldest first. */
  migrations: Type.Array(Type.String({ maxLength: 100 }), { minItems: 1 }),
  /** In the order in which they follow: a table comes after those that it refers to. */
  tables: Type.Array(Type.Object({ name, columns: Type.Array(name, { minItems: 1 }) })),
  /** From the oldest event of the audit trail to the newest; null where there is none. */
  events: Type.Union([Type.Null(), Type.Object({ from: moment, until: moment })])
})

const TrailerSchema = Type.Object({ rows: Type.Record(name, Type.Integer({ minimum: 0 })), sha256: Type.String() })

export type DumpHeader = Static<typeof HeaderSchema>
export type DumpTable = DumpHeader['tables'][number]
/** Rows of each table, and the checksum of all that stands before. */
export type DumpTrailer = Static<typeof TrailerSchema>

/** Ends the rows of a table; no row is written so, since COPY doubles backslashes. */
export const endOfTable = Buffer.from('\\.\n')

/** Bytes of rows that are handed on at once. */
export const batchBytes = 64 * 1024

export const damaged = (cause?: unknown): DumpError =>
  new DumpError('The dump is cut short or was altered; nothing was restored. Make it again, or copy it again.', { cause })

export const encodeLine = (value: DumpHeader | DumpTrailer): Buffer => Buffer.from(`${JSON.stringify(value)}\n`)

function parseLine (line: Buffer): unknown {
  try {
    return JSON.parse(line.toString())
  } catch (error) {
    throw damaged(error)
  }
}

/** Milliseconds of the day of a moment; NaN where there is no such day. */
function dayOf (moment: string): number {
  const day = new Date(moment.slice(0, 10))
  return Number.isFinite(day.getTime()) && moment.startsWith(day.toISOString().slice(0, 10)) ? day.getTime() : NaN
}

/** Days that exist, in their order, and not too many of them. */
function isPeriod ({ from, until }: { from: string, until: string }): boolean {
  const span = dayOf(until) - dayOf(from)
  return span >= 0 && span < maxYears * 366 * 86_400_000
}

/** Throws DumpError for what is no dump, or one of another format. */
export function readHeader (line: Buffer): DumpHeader {
  const header = parseLine(line)
  if (Value.Check(HeaderSchema, header)) {
    if (header.events !== null && !isPeriod(header.events)) throw damaged()
    return header
  }
  if (typeof header === 'object' && header !== null && 'format' in header && 'version' in header && header.format === 'auth-serve dump' && header.version !== formatVersion) {
    throw new DumpError(`The dump has format ${String(header.version)}, and this release reads format ${formatVersion}: restore it with the release that made it, or a newer one.`)
  }
  throw damaged()
}

export function readTrailer (line: Buffer): DumpTrailer {
  const trailer = parseLine(line)
  if (!Value.Check(TrailerSchema, trailer)) throw damaged()
  return trailer
}

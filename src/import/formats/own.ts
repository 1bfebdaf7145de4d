import { unmatchable } from '../../accounts/claim.ts'
import { acceptHash, type Acceptance } from '../../passwords/foreign/index.ts'
import { csvRecords } from '../csv.ts'
import { flag, identifier, moment, required, text, texts, type Raw } from '../fields.ts'
import { jsonLines } from '../lines.ts'
import { readPeople } from '../read-people.ts'
import { ImportError, RowRefusal, type Reader, type ReaderOptions, type SourcePerson } from '../record.ts'

/** The fields of a person in a file of ours, in the order in which the export writes them. */
const ownFields = [
  'id', 'email', 'emailVerifiedAt', 'username', 'firstName', 'lastName', 'roles', 'isActive',
  'createdAt', 'updatedAt', 'lastLoginAt', 'passwordHash'
] as const

const known: readonly string[] = [...ownFields, 'emailVerified']

/** Accounts that registrations compete for are exported, too; they stay without anybody's password. */
const acceptOwn = (hash: string, bounds: ReaderOptions['hashBounds']): Acceptance => hash === unmatchable ? { hash } : acceptHash(hash, bounds)

function toPerson (raw: Raw, { hashBounds }: ReaderOptions, rolesOf: (raw: Raw) => string[]): SourcePerson {
  const unknown = Object.keys(raw).find(name => !known.includes(name))
  if (unknown !== undefined) throw new RowRefusal(unknown.slice(0, 40), `is no field; there are ${known.join(', ')}`)
  const hash = text(raw, 'passwordHash')
  return {
    email: required(raw, 'email'),
    emailVerified: moment(raw, 'emailVerifiedAt') ?? flag(raw, 'emailVerified') ?? false,
    username: text(raw, 'username'),
    firstName: text(raw, 'firstName'),
    lastName: text(raw, 'lastName'),
    roles: rolesOf(raw),
    isActive: flag(raw, 'isActive') ?? true,
    createdAt: moment(raw, 'createdAt'),
    updatedAt: moment(raw, 'updatedAt'),
    lastLoginAt: moment(raw, 'lastLoginAt'),
    password: hash === undefined ? undefined : acceptOwn(hash, hashBounds)
  }
}

const id = (raw: Raw): string | undefined => identifier(raw, 'id')

/** What `users export` writes: a person per line. */
export const readNdjson: Reader = (open, options) =>
  readPeople(jsonLines(open), { id, person: raw => toPerson(raw, options, raw => texts(raw, 'roles')) })

function columns (header: readonly string[]): readonly string[] {
  const unknown = header.find(name => !known.includes(name))
  // What is no name is not repeated: where the header is missing, it is somebody's.
  if (unknown !== undefined) throw new ImportError(`The first line of the file must name its columns, and ${/^[A-Za-z_]{1,40}$/.test(unknown) ? unknown : `column ${header.indexOf(unknown) + 1}`} is none of ${known.join(', ')}.`)
  if (!header.includes('email')) throw new ImportError('The file has no column email. Its first line must name the columns.')
  return header
}

/** CSV with a header of the same names; several roles have a "|" in between. */
export const readCsv: Reader = (open, options) =>
  readPeople(csvRecords(open, { columns }), { id, person: raw => toPerson(raw, options, raw => text(raw, 'roles')?.split('|') ?? []) })

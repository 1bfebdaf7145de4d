import { acceptHash } from '../../passwords/foreign/index.ts'
import { csvRecords } from '../csv.ts'
import { flag, identifier, moment, nested, required, splitName, text, type Raw } from '../fields.ts'
import { jsonRecords } from '../json.ts'
import { jsonLines } from '../lines.ts'
import { readPeople, type PersonMapping } from '../read-people.ts'
import { ImportError, PassedOver, type OpenSource, type Reader, type SourcePerson } from '../record.ts'
import { shapeOf } from '../recognise.ts'

/** The role of PostgreSQL that everybody who signed in has. */
const ordinaryRole = 'authenticated'

function toPerson (raw: Raw): SourcePerson {
  if (moment(raw, 'deleted_at') !== undefined) throw new PassedOver('deleted there')
  if (flag(raw, 'is_anonymous') === true) throw new PassedOver('an anonymous user')
  const hash = text(raw, 'encrypted_password')
  const about = nested(raw, 'raw_user_meta_data')
  const role = text(raw, 'role')
  const [firstName, lastName] = [text(about, 'first_name', 'given_name'), text(about, 'last_name', 'family_name')]
  const banned = moment(raw, 'banned_until')
  return {
    email: required(raw, 'email'),
    emailVerified: moment(raw, 'email_confirmed_at', 'confirmed_at') ?? false,
    ...firstName === undefined && lastName === undefined ? splitName(text(about, 'full_name', 'name')) : { firstName, lastName },
    roles: role === undefined || role === ordinaryRole ? [] : [role],
    // Nothing here ends by itself: a ban that is not over stays until an administrator lifts it.
    isActive: banned === undefined || banned.getTime() <= Date.now(),
    createdAt: moment(raw, 'created_at'),
    updatedAt: moment(raw, 'updated_at'),
    lastLoginAt: moment(raw, 'last_sign_in_at'),
    password: hash === undefined ? undefined : acceptHash(hash)
  }
}

const mapping: PersonMapping = { id: raw => identifier(raw, 'id'), person: toPerson }

function columns (header: readonly string[]): readonly string[] {
  if (header.includes('email') && header.includes('encrypted_password')) return header
  throw new ImportError('The file has no columns email and encrypted_password. Its first line must name the columns of auth.users.')
}

async function * records (open: OpenSource) {
  const shape = await shapeOf(open)
  if (shape === 'array') yield * jsonRecords(open, /^\d+$/)
  else if (shape === 'object') yield * jsonLines(open)
  else yield * csvRecords(open, { columns })
}

/** Rows of `auth.users` of Supabase Auth (GoTrue): CSV with a header, a JSON array, or JSON lines. */
export const readSupabase: Reader = open => readPeople(records(open), mapping)

import { fromDjango } from '../../passwords/foreign/index.ts'
import { flag, identifier, list, moment, nested, required, text, type Raw } from '../fields.ts'
import { jsonRecords } from '../json.ts'
import { readPeople } from '../read-people.ts'
import type { RawReading } from '../lines.ts'
import type { OpenSource, Reader, SourcePerson } from '../record.ts'

/** A password of Django that nobody knows (`set_unusable_password`). */
const unusable = '!'

function toPerson (raw: Raw): SourcePerson {
  const fields = nested(raw, 'fields')
  const hash = text(fields, 'password')
  return {
    email: required(fields, 'email'),
    // Django's own user keeps no such thing.
    emailVerified: flag(fields, 'email_verified', 'is_verified') ?? false,
    username: text(fields, 'username'),
    firstName: text(fields, 'first_name'),
    lastName: text(fields, 'last_name'),
    roles: [
      ...flag(fields, 'is_superuser') === true ? ['superuser'] : [],
      ...flag(fields, 'is_staff') === true ? ['staff'] : [],
      // Ids, or with --natural-foreign lists of one name.
      ...list(fields, 'groups').map(group => String(Array.isArray(group) ? group[0] : group))
    ],
    isActive: flag(fields, 'is_active') ?? true,
    createdAt: moment(fields, 'date_joined'),
    lastLoginAt: moment(fields, 'last_login'),
    password: hash === undefined || hash.startsWith(unusable) ? undefined : fromDjango(hash)
  }
}

/** Objects of a user model, be it Django's own or one that took its place; what else a dump holds is left out. */
async function * users (open: OpenSource): AsyncGenerator<RawReading> {
  for await (const record of jsonRecords(open, /^\d+$/)) {
    const isUser = 'raw' in record && /\.\w*user$/.test(String(record.raw.model)) && Object.hasOwn(nested(record.raw, 'fields'), 'password')
    if (isUser || !('raw' in record)) yield record
  }
}

/** `dumpdata auth.user` of Django, as JSON. */
export const readDjango: Reader = open => readPeople(users(open), { id: raw => identifier(raw, 'pk'), person: toPerson })

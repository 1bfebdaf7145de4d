import { acceptHash, type Acceptance } from '../../passwords/foreign/index.ts'
import { flag, isRaw, list, moment, nested, required, text, valueOf, type Raw } from '../fields.ts'
import { jsonRecords } from '../json.ts'
import { jsonLines } from '../lines.ts'
import { readPeople, type PersonMapping } from '../read-people.ts'
import { shapeOf } from '../recognise.ts'
import type { OpenSource, Reader, SourcePerson } from '../record.ts'

/** Bytes as Auth0 spells them, in base64 without padding. */
function base64Of (raw: Raw): string {
  const encoding = text(raw, 'encoding') ?? 'utf8'
  const bytes = Buffer.from(text(raw, 'value') ?? '', encoding === 'hex' || encoding === 'base64' ? encoding : 'utf8')
  return bytes.toString('base64').replaceAll('=', '')
}

/** `custom_password_hash` of the bulk import of Auth0. */
function fromCustom (raw: Raw): Acceptance {
  const [algorithm, hash] = [text(raw, 'algorithm'), nested(raw, 'hash')]
  const encoding = text(nested(raw, 'password'), 'encoding') ?? 'utf8'
  if (encoding !== 'utf8') return { refused: 'is of a password in another encoding than UTF-8' }
  // These are texts that hold all of their parameters.
  if (algorithm === 'bcrypt' || algorithm === 'argon2' || algorithm === 'pbkdf2') return acceptHash(text(hash, 'value') ?? '')
  if (algorithm !== 'scrypt') return { refused: 'is of an algorithm that is none of bcrypt, argon2, pbkdf2 and scrypt' }
  if (!/^(?:hex|base64)$/.test(text(hash, 'encoding') ?? '')) return { refused: 'is of scrypt and does not say whether it is hex or base64' }
  const logarithm = Math.log2(Number(raw.cost ?? 16384))
  return acceptHash(`$scrypt$ln=${logarithm},r=${Number(raw.blockSize ?? 8)},p=${Number(raw.parallelization ?? 1)}$${base64Of(nested(raw, 'salt'))}$${base64Of(hash)}`)
}

function passwordOf (raw: Raw): Acceptance | undefined {
  const hash = text(raw, 'passwordHash', 'password_hash')
  if (hash !== undefined) return acceptHash(hash)
  return valueOf(raw, ['custom_password_hash']) === undefined ? undefined : fromCustom(nested(raw, 'custom_password_hash'))
}

/** The address may be among the identifiers only. */
function addressOf (raw: Raw): Raw {
  if (text(raw, 'email') !== undefined) return raw
  const found = list(raw, 'identifiers').find(identifier => isRaw(identifier) && identifier.type === 'email')
  return isRaw(found) ? { email: found.value, email_verified: found.verified } : raw
}

/** A moment, or what MongoDB writes for one. */
const momentOf = (raw: Raw, name: string): Date | undefined => isRaw(raw[name]) ? moment(nested(raw, name), '$date') : moment(raw, name)

function toPerson (raw: Raw): SourcePerson {
  const address = addressOf(raw)
  return {
    email: required(address, 'email'),
    emailVerified: flag(address, 'email_verified') ?? false,
    username: text(raw, 'username'),
    firstName: text(raw, 'given_name'),
    lastName: text(raw, 'family_name'),
    roles: [],
    isActive: flag(raw, 'blocked') !== true,
    createdAt: momentOf(raw, 'created_at'),
    updatedAt: momentOf(raw, 'updated_at'),
    lastLoginAt: momentOf(raw, 'last_login'),
    password: passwordOf(raw)
  }
}

/** The id without what says which connection it is of; the export of hashes has MongoDB's. */
const idOf = (raw: Raw): string | undefined =>
  text(raw, 'user_id', 'alt_id')?.replace(/^auth0\|/, '') ?? (isRaw(raw._id) ? text(raw._id, '$oid') : text(raw, '_id'))

const mapping: PersonMapping = { id: idOf, person: toPerson }

async function * records (open: OpenSource) {
  if (await shapeOf(open) === 'array') yield * jsonRecords(open, /^\d+$/)
  else yield * jsonLines(open)
}

/** Auth0: the export of password hashes that its support makes (JSON lines), or a file of its bulk import (a JSON array). */
export const readAuth0: Reader = open => readPeople(records(open), mapping)

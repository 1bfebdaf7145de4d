import { fromFirebase, type FirebaseProject } from '../../passwords/foreign/index.ts'
import { csvRecords } from '../csv.ts'
import { flag, moment, required, splitName, text, type Raw } from '../fields.ts'
import { jsonRecords } from '../json.ts'
import { readPeople } from '../read-people.ts'
import { shapeOf } from '../recognise.ts'
import { ImportError, PassedOver, type OpenSource, type Reader, type SourcePerson } from '../record.ts'

/** The columns of a CSV export, which has no header; some rows end with a comma more. */
const columns = [
  'localId', 'email', 'emailVerified', 'passwordHash', 'salt', 'displayName', 'photoUrl',
  ...['google', 'facebook', 'twitter', 'github'].flatMap(provider => ['Id', 'Email', 'DisplayName', 'PhotoUrl'].map(field => `${provider}${field}`)),
  'createdAt', 'lastSignedInAt', 'phoneNumber', 'disabled', 'customAttributes', 'end'
]

/** The parameters as the console shows them, or the same as JSON. */
const parameter = (parameters: string, name: string): string | undefined =>
  new RegExp(`"?\\b${name}"?\\s*:\\s*"?([A-Za-z0-9+/=_-]+)`).exec(parameters)?.[1]

function readProject (parameters: string): FirebaseProject {
  const [signerKey, saltSeparator, rounds, memCost] = ['base64_signer_key', 'base64_salt_separator', 'rounds', 'mem_cost'].map(name => parameter(parameters, name))
  if (signerKey === undefined || rounds === undefined || memCost === undefined) {
    throw new ImportError('The file of --hash-parameters must hold base64_signer_key, base64_salt_separator, rounds and mem_cost, as the console of Firebase shows them.')
  }
  return { signerKey, saltSeparator: saltSeparator ?? '', rounds: Number(rounds), memCost: Number(memCost) }
}

function passwordOf (raw: Raw, project: FirebaseProject | undefined): SourcePerson['password'] {
  const hash = text(raw, 'passwordHash')
  if (hash === undefined) return undefined
  if (project === undefined) return { refused: 'needs the hash parameters of the project: name their file with --hash-parameters' }
  return fromFirebase({ hash, salt: text(raw, 'salt') ?? '' }, project)
}

function toPerson (raw: Raw, project: FirebaseProject | undefined): SourcePerson {
  const hash = text(raw, 'passwordHash')
  const email = text(raw, 'email')
  const providers = Array.isArray(raw.providerUserInfo) ? raw.providerUserInfo.length : 0
  if (email === undefined && hash === undefined && providers === 0 && text(raw, 'phoneNumber') === undefined) throw new PassedOver('an anonymous user')
  return {
    email: required(raw, 'email'),
    emailVerified: flag(raw, 'emailVerified') ?? false,
    ...splitName(text(raw, 'displayName')),
    roles: [],
    isActive: flag(raw, 'disabled') !== true,
    createdAt: moment(raw, 'createdAt'),
    lastLoginAt: moment(raw, 'lastSignedInAt', 'lastLoginAt'),
    password: passwordOf(raw, project)
  }
}

async function * records (open: OpenSource) {
  if (await shapeOf(open) === 'object') yield * jsonRecords(open, /^users\.\d+$/)
  else yield * csvRecords(open, { columns, loose: true })
}

/** `firebase auth:export`, JSON or CSV. */
export const readFirebase: Reader = (open, { hashParameters }) => {
  const project = hashParameters === undefined ? undefined : readProject(hashParameters)
  return readPeople(records(open), { id: raw => text(raw, 'localId'), person: raw => toPerson(raw, project) })
}

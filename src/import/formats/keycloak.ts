import { fromKeycloak } from '../../passwords/foreign/index.ts'
import { flag, isRaw, list, moment, required, text, texts, type Raw } from '../fields.ts'
import { jsonRecords } from '../json.ts'
import { readPeople } from '../read-people.ts'
import { PassedOver, RowRefusal, type Reader, type SourcePerson } from '../record.ts'

/** Roles that Keycloak gives to everybody. */
const everybodys = /^(?:default-roles-.*|offline_access|uma_authorization)$/

function passwordOf (raw: Raw): SourcePerson['password'] {
  const credentials = list(raw, 'credentials')
  const password = credentials.find(credential => isRaw(credential) && credential.type === 'password')
  if (!isRaw(password)) return undefined
  const [secretData, credentialData] = [text(password, 'secretData'), text(password, 'credentialData')]
  if (secretData === undefined || credentialData === undefined) throw new RowRefusal('credentials', 'has a password without secretData and credentialData: export the realm with its users by "kc.sh export"')
  return fromKeycloak({ secretData, credentialData })
}

function toPerson (raw: Raw): SourcePerson {
  if (text(raw, 'serviceAccountClientId') !== undefined) throw new PassedOver('a service account')
  const roles = texts(raw, 'realmRoles')
  return {
    email: required(raw, 'email'),
    emailVerified: flag(raw, 'emailVerified') ?? false,
    username: text(raw, 'username'),
    firstName: text(raw, 'firstName'),
    lastName: text(raw, 'lastName'),
    roles: roles.filter(role => !everybodys.test(role)),
    isActive: flag(raw, 'enabled') ?? true,
    createdAt: moment(raw, 'createdTimestamp'),
    password: passwordOf(raw)
  }
}

/** The users of a realm export of Keycloak (`kc.sh export`), also of several realms in one file. */
export const readKeycloak: Reader = open =>
  readPeople(jsonRecords(open, /^(?:\d+\.)?users\.\d+$/), { id: raw => text(raw, 'id'), person: toPerson })

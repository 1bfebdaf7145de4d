import { fromBetterAuth } from '../../passwords/foreign/index.ts'
import { flag, identifier, isRaw, list, moment, required, splitName, text, type Raw } from '../fields.ts'
import { jsonRecords } from '../json.ts'
import { jsonLines, type RawReading } from '../lines.ts'
import { readPeople } from '../read-people.ts'
import { readHead, shapeOf } from '../recognise.ts'
import { ImportError, type OpenSource, type Reader, type SourcePerson } from '../record.ts'

/** Accounts that are kept in memory where they stand apart from their users: some 300 bytes each. */
const mostAccounts = 1_000_000

/** Columns are called as the schema of the application calls them. */
const userIdOf = (account: Raw): string | undefined => identifier(account, 'userId', 'user_id')
const isCredential = (account: unknown): account is Raw => isRaw(account) && text(account, 'providerId', 'provider_id') === 'credential'

function isActive (raw: Raw): boolean {
  const until = moment(raw, 'banExpires', 'ban_expires')
  return flag(raw, 'banned') !== true || (until !== undefined && until.getTime() <= Date.now())
}

function toPerson (raw: Raw, hash: string | undefined): SourcePerson {
  return {
    email: required(raw, 'email'),
    emailVerified: flag(raw, 'emailVerified', 'email_verified') ?? false,
    username: text(raw, 'displayUsername', 'display_username', 'username'),
    ...splitName(text(raw, 'name')),
    // Of the admin plugin; several have commas in between.
    roles: text(raw, 'role')?.split(',').map(role => role.trim()) ?? [],
    isActive: isActive(raw),
    createdAt: moment(raw, 'createdAt', 'created_at'),
    updatedAt: moment(raw, 'updatedAt', 'updated_at'),
    password: hash === undefined ? undefined : fromBetterAuth(hash)
  }
}

/** The accounts of a document of two tables, read before the users are. */
async function readHashes (open: OpenSource): Promise<Map<string, string>> {
  const hashes = new Map<string, string>()
  for await (const record of jsonRecords(open, /^accounts?\.\d+$/)) {
    if (!('raw' in record) || !isCredential(record.raw)) continue
    const [userId, hash] = [userIdOf(record.raw), text(record.raw, 'password')]
    if (userId !== undefined && hash !== undefined) hashes.set(userId, hash)
    if (hashes.size > mostAccounts) throw new ImportError(`The file has more than ${mostAccounts} accounts apart from their users, which are kept in memory: write them as lines with the accounts inside of each user (docs/guides/moving-in.md).`)
  }
  return hashes
}

const inside = (raw: Raw): string | undefined => {
  const account = list(raw, 'accounts').find(isCredential)
  return account === undefined ? text(raw, 'password') : text(account, 'password')
}

async function * readTables (open: OpenSource) {
  const hashes = await readHashes(open)
  yield * readPeople(jsonRecords(open, /^users?\.\d+$/), { id: raw => identifier(raw, 'id'), person: raw => toPerson(raw, hashes.get(identifier(raw, 'id') ?? '')) })
}

async function * readJoined (open: OpenSource) {
  const records: AsyncIterable<RawReading> = await shapeOf(open) === 'array' ? jsonRecords(open, /^\d+$/) : jsonLines(open)
  yield * readPeople(records, { id: raw => identifier(raw, 'id'), person: raw => toPerson(raw, inside(raw)) })
}

/**
 * The tables of Better Auth: users with their accounts inside, as JSON lines or a JSON array, or a JSON document
 * `{ "user": [...], "account": [...] }`, whose accounts are kept in memory.
 */
export const readBetterAuth: Reader = async function * (open) {
  yield * /^\s*\{\s*"(?:users?|accounts?)"\s*:\s*\[/.test(await readHead(open)) ? readTables(open) : readJoined(open)
}

import { Type } from '@sinclair/typebox'
import { canonicalEmail } from '../accounts/email.ts'
import { canonicalUsername } from '../accounts/username.ts'
import { createValidatorCompiler } from '../input/validator.ts'
import { Email, Text, Username } from '../schemas/text.ts'
import { RowRefusal, type SourcePerson } from './record.ts'

/** A person as they would be stored, but for the id. */
export interface AcceptedPerson {
  email: string
  emailCanonical: string
  username: string | null
  usernameCanonical: string | null
  firstName: string | null
  lastName: string | null
  roles: string[]
  isActive: boolean
  /** `true` where the source does not tell when. */
  emailVerified: boolean | Date
  createdAt: Date | undefined
  updatedAt: Date | undefined
  lastLoginAt: Date | undefined
  passwordHash: string | null
}

export interface JudgeOptions {
  /** Roles that may be given here. */
  roles: readonly string[]
  /** Ours by theirs; the empty text for none, and `*` for every other of theirs. */
  roleMap: ReadonlyMap<string, string>
  /** The source's roles are ours by the same names, except `admin`. */
  sameRoles: boolean
  /** Take people whose hash is not taken, without a password. */
  withoutPassword: boolean
  /** Leave all usernames out. */
  withoutUsernames: boolean
}

/** What a person may be called, as for anybody who registers. */
const schema = Type.Object({
  email: Email(),
  username: Type.Optional(Username()),
  firstName: Type.Optional(Text({ minLength: 1, maxLength: 100 })),
  lastName: Type.Optional(Text({ minLength: 1, maxLength: 100 }))
})

/** Milliseconds by which the clock of a source may be ahead, its time zone included. */
const aheadMs = 86_400_000

/** Who is of a later time would stand first in every list for good. */
function requirePast (moments: Record<string, Date | undefined>): void {
  for (const [field, moment] of Object.entries(moments)) {
    if (moment !== undefined && moment.getTime() > Date.now() + aheadMs) throw new RowRefusal(field, 'is in the future')
  }
}

/** Says how a person of a source would be stored. Throws RowRefusal for who cannot be. */
export type JudgePerson = (person: SourcePerson) => AcceptedPerson

/** Makes the judge of an import. */
export function createJudgePerson ({ roles, roleMap, sameRoles, withoutPassword, withoutUsernames }: JudgeOptions): JudgePerson {
  const validate = createValidatorCompiler({})({ schema, httpPart: 'body' })

  function roleOf (theirs: string): string {
    const ours = roleMap.get(theirs) ?? (theirs === 'user' || (sameRoles && theirs !== 'admin' && roles.includes(theirs)) ? theirs : roleMap.get('*'))
    if (ours === undefined) throw new RowRefusal('roles', `the role ${JSON.stringify(theirs.slice(0, 64))} is not mapped: say --map-role theirs=ours, or theirs= to leave it out`)
    return ours
  }

  /** One that is the address says nothing, and could not be a username here. */
  function usernameOf ({ username, email }: SourcePerson): string | undefined {
    return withoutUsernames || (username !== undefined && canonicalEmail(username) === canonicalEmail(email)) ? undefined : username
  }

  function hashOf ({ password }: SourcePerson): string | null {
    if (password === undefined) return null
    if ('hash' in password) return password.hash
    if (withoutPassword) return null
    throw new RowRefusal('password', password.refused)
  }

  return person => {
    const { email, firstName, lastName, isActive, emailVerified, createdAt, updatedAt, lastLoginAt } = person
    const username = usernameOf(person)
    const names = { email, ...username !== undefined && { username }, ...firstName !== undefined && { firstName }, ...lastName !== undefined && { lastName } }
    const judged = validate(names)
    if (judged !== true) {
      const [error] = judged.error.errors ?? []
      throw new RowRefusal(error?.path.replace('/body/', '') ?? 'record', error?.message ?? judged.error.message)
    }
    const emailCanonical = canonicalEmail(email)
    if (emailCanonical === undefined) throw new RowRefusal('email', 'is no e-mail address')
    requirePast({ createdAt, updatedAt, lastLoginAt })
    const mapped = person.roles.map(roleOf).filter(role => role !== '' && role !== 'user')
    return {
      email,
      emailCanonical,
      username: username ?? null,
      usernameCanonical: username === undefined ? null : canonicalUsername(username),
      firstName: firstName ?? null,
      lastName: lastName ?? null,
      roles: ['user', ...new Set(mapped)],
      isActive,
      emailVerified,
      createdAt,
      updatedAt,
      lastLoginAt,
      passwordHash: hashOf(person)
    }
  }
}
